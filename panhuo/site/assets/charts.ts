// The overview's charts: each mark opens the list behind it. The same figures stand beside them as tables.
import { BarChart, LineChart, PieChart } from "echarts/charts";
import { GridComponent, TooltipComponent } from "echarts/components";
import * as echarts from "echarts/core";
import { SVGRenderer } from "echarts/renderers";

type Row = [label: string, count: number, mu: number, link: string];
interface Chart { id: string; kind: "bar" | "ring" | "line"; rows: Row[] }

echarts.use([BarChart, LineChart, PieChart, GridComponent, TooltipComponent, SVGRenderer]);
const colours = ["#0c5460", "#c7762b", "#3d8b7d", "#8a5a83", "#6b7f2a", "#b0413e"];

function option(chart: Chart): echarts.EChartsCoreOption {
  const labels = chart.rows.map((row) => row[0]);
  const counts = chart.rows.map((row) => row[1]);
  const common = { color: colours, tooltip: {}, animation: false };
  if (chart.kind === "ring")
    return { ...common, series: [{ type: "pie", radius: ["45%", "75%"], data: chart.rows.map((r) => ({ name: r[0], value: r[1] })) }] };
  if (chart.kind === "line")
    return { ...common, grid: { left: 45, right: 15, top: 15, bottom: 25 }, xAxis: { type: "category", data: labels }, yAxis: { type: "value" }, series: [{ type: "line", data: counts, areaStyle: { opacity: 0.15 } }] };
  return { ...common, grid: { left: 8, right: 40, top: 5, bottom: 5, containLabel: true }, xAxis: { type: "value", show: false }, yAxis: { type: "category", inverse: true, data: labels }, series: [{ type: "bar", data: counts, label: { show: true, position: "right" } }] };
}

const data = document.getElementById("charts")?.textContent;
for (const chart of data ? (JSON.parse(data) as Chart[]) : []) {
  const place = document.querySelector<HTMLElement>(`[data-chart="${chart.id}"]`);
  if (!place) continue;
  const drawn = echarts.init(place, undefined, { renderer: "svg" });
  drawn.setOption(option(chart));
  drawn.on("click", (at) => { const row = chart.rows[at.dataIndex]; if (row) location.href = row[3]; });
  new ResizeObserver(() => drawn.resize()).observe(place);
}
