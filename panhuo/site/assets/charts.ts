// The charts of a board: each mark opens the list behind it. The same figures stand below them as tables.
import { BarChart, LineChart, PieChart } from "echarts/charts";
import { GridComponent, LegendComponent, TooltipComponent } from "echarts/components";
import * as echarts from "echarts/core";
import { SVGRenderer } from "echarts/renderers";

type Row = [label: string, count: number, mu: number | null, yi: number | null, link: string, colour: string | null];
interface Chart { id: string; kind: "bar" | "ring" | "column" | "line"; rows: Row[] }

echarts.use([BarChart, LineChart, PieChart, GridComponent, LegendComponent, TooltipComponent, SVGRenderer]);
const BRAND = "#0b5563";
const FONT = getComputedStyle(document.body).fontFamily;
const axis = { axisLine: { lineStyle: { color: "#8b9fa5" } }, axisLabel: { color: "#3d5258" }, splitLine: { lineStyle: { color: "#e3eaeb" } }, axisTick: { show: false } };
const drawn = new Map<HTMLElement, { chart: Chart; on: echarts.ECharts }>();
let measure = 1;

const rounded = (value: number | null): number | null => (value === null ? null : Math.round(value * 100) / 100);

function option(chart: Chart): echarts.EChartsCoreOption {
  const labels = chart.rows.map((row) => row[0]);
  const data = chart.rows.map((row) => ({ name: row[0], value: rounded(row[measure] as number | null), itemStyle: { color: row[5] ?? BRAND } }));
  const common = { animation: false, textStyle: { fontFamily: FONT }, tooltip: { confine: true } };
  if (chart.kind === "ring")
    return { ...common, series: [{ type: "pie", radius: ["36%", "60%"], data, cursor: "pointer", itemStyle: { borderColor: "#fff", borderWidth: 2 }, label: { formatter: (p: { name: string; percent: number }) => `${p.name}\n${Math.round(p.percent)}%`, overflow: "none", color: "#15262b", lineHeight: 16 }, minShowLabelAngle: 6 }] };
  if (chart.kind === "line")
    return { ...common, tooltip: { trigger: "axis" }, grid: { left: 8, right: 20, top: 20, bottom: 8, containLabel: true }, xAxis: { type: "category", data: labels, ...axis }, yAxis: { type: "value", ...axis }, series: [{ type: "line", data, lineStyle: { color: BRAND, width: 2.5 }, symbolSize: 8, areaStyle: { color: BRAND, opacity: 0.1 } }] };
  const value = { type: "value", show: false };
  const kinds = { type: "category", data: labels, ...axis, axisLabel: { ...axis.axisLabel, interval: 0, width: 130, overflow: "truncate" } };
  const label = { show: true, color: "#15262b", formatter: (p: { value: number | null }) => (p.value === null ? "—" : p.value.toLocaleString()) };
  return chart.kind === "bar"
    ? { ...common, grid: { left: 0, right: 56, top: 4, bottom: 4, containLabel: true }, xAxis: value, yAxis: { ...kinds, inverse: true, axisLine: { show: false } }, series: [{ type: "bar", data, barMaxWidth: 16, cursor: "pointer", label: { ...label, position: "right" } }] }
    : { ...common, grid: { left: 4, right: 4, top: 24, bottom: 4, containLabel: true }, xAxis: { ...kinds, axisLabel: { ...axis.axisLabel, interval: "auto" } }, yAxis: value, series: [{ type: "bar", data, barMaxWidth: 30, cursor: "pointer", label: { ...label, position: "top" } }] };
}

function draw(place: HTMLElement, chart: Chart): void {
  if (drawn.has(place) || !chart.rows.length) return;
  if (chart.kind === "bar") place.style.height = `${chart.rows.length * 26 + 10}px`;
  const on = echarts.init(place, undefined, { renderer: "svg" });
  drawn.set(place, { chart, on });
  // On paper the drawing is scaled to its column by the style sheet alone: there is no time to draw it anew.
  on.on("finished", () => place.querySelector("svg")?.setAttribute("viewBox", `0 0 ${on.getWidth()} ${on.getHeight()}`));
  on.setOption(option(chart));
  on.on("click", (at) => { const row = chart.rows[at.dataIndex]; if (row?.[4]) location.href = row[4]; });
  new ResizeObserver(() => on.resize()).observe(place);
}

const held = JSON.parse(document.getElementById("charts")?.textContent ?? "[]") as Chart[];
function all(): void {
  for (const place of document.querySelectorAll<HTMLElement>("[data-chart]")) {
    const later = place.dataset.rows;
    const chart = later ? ({ id: "", kind: "line", rows: JSON.parse(later) } as Chart) : held.find((c) => c.id === place.dataset.chart);
    if (chart) draw(place, chart);
  }
}
all();
document.addEventListener("htmx:afterSettle", all);

const buttons = document.querySelectorAll<HTMLButtonElement>("button[data-measure]");
for (const button of buttons) button.addEventListener("click", () => {
  measure = Number(button.dataset.measure);
  for (const other of buttons) other.setAttribute("aria-pressed", String(other === button));
  for (const { chart, on } of drawn.values()) on.setOption(option(chart));
});
