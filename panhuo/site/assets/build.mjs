// Bundles the site's scripts into ../static/dist with the notices of what goes into them.
import { build } from "esbuild";
import { cpSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "../../..");
const out = join(here, "../static/dist");
rmSync(out, { recursive: true, force: true });
const made = await build({
  entryPoints: ["app.ts", "charts.ts", "lot.ts", "map.ts", "market.ts", "pictures.ts", "survey.ts", "survey-worker.ts"].map((f) => join(here, f)),
  bundle: true, splitting: true, chunkNames: "part-[hash]", minify: true, format: "esm", target: "es2022", outdir: out, legalComments: "none", metafile: true,
});
await build({ entryPoints: [join(root, "node_modules/maplibre-gl/dist/maplibre-gl-worker.mjs")], bundle: true, minify: true, format: "esm", target: "es2022", outfile: join(out, "map-worker.js"), legalComments: "none" });
cpSync(join(root, "node_modules/maplibre-gl/dist/maplibre-gl.css"), join(out, "maplibre-gl.css"));
const used = new Set(Object.keys(made.metafile.inputs).map((p) => p.match(/node_modules\/((?:@[^/]+\/)?[^/]+)/)?.[1]).filter(Boolean));
const notices = [...used].sort().map((name) => {
  const folder = join(root, "node_modules", name);
  const about = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const texts = readdirSync(folder, { withFileTypes: true }).filter((f) => f.isFile() && /^(licen[cs]e|notice|copying)/i.test(f.name)).map((f) => readFileSync(join(folder, f.name), "utf8").trim());
  return `${name} ${about.version} (${about.license})\n\n${texts.join("\n\n")}`;
});
writeFileSync(join(out, "NOTICES.txt"), `${notices.join(`\n\n${"-".repeat(80)}\n\n`)}\n`);
