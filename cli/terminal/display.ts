import type { Plan } from "../../coordinator/plan/plan.ts";
import type { Progress, ProgressReport } from "../../coordinator/run/progress.ts";
import type { Task } from "../../shared/messages.ts";
import type { RunningTask } from "../../shared/transport/transport.ts";
import { cellName, duration, integer, percent } from "./format.ts";

/** Shows a run while it goes on. */
export interface Display {
  /** Puts a line above the moving part; not with `isQuiet`. */
  line(text: string): void;
  /** Puts a line there even with `isQuiet`: something is wrong. */
  warn(text: string): void;
  /** Clears the moving part away. */
  stop(): void;
}

interface DisplayOptions {
  readonly plan: Plan;
  readonly progress: Progress;
  /** The tasks that workers have now. */
  running(): Promise<readonly RunningTask[]>;
  /** A note beside the progress; "" for none. */
  note(): string;
  readonly stream: NodeJS.WriteStream;
  readonly isQuiet: boolean;
}

const REDRAW_MS = 250;
/** Without a terminal: lines for a log, seldom. */
const LOG_MS = 10_000;
/** How many running tasks are shown. */
const MOST_RUNNING = 8;

export function startDisplay(options: DisplayOptions): Display {
  const { plan, progress, stream, isQuiet } = options;
  const start = performance.now();
  const isTerminal = stream.isTTY === true && !isQuiet;
  const nameOf = cellNames(plan);
  let drawn = 0;
  let isOver = false;

  const report = async () => {
    const running = await options.running().catch(() => []);
    return { running, now: progress.report(running, (performance.now() - start) / 1000) };
  };
  const erase = () => {
    if (drawn > 0) stream.write(`\x1b[${drawn}A\x1b[0J`);
    drawn = 0;
  };
  const draw = async () => {
    const { running, now } = await report();
    if (isOver) return;
    const width = stream.columns || 80; // 0 on a terminal of unknown size
    // What scrolls off a short terminal cannot be erased any more.
    const most = Math.max(0, Math.min(MOST_RUNNING, (stream.rows || 24) - 3));
    const lines = [barLine(now, options.note(), width), ...running.slice(0, most).map(runningLine)];
    if (running.length > most && most > 0) lines.push(`  … and ${running.length - most} more`);
    erase();
    stream.write(lines.map((text) => `${text.slice(0, width - 1)}\n`).join(""));
    drawn = lines.length;
  };
  const log = async () => {
    const { running, now } = await report();
    if (isOver) return;
    const cells = [...new Set(running.map(({ task }) => nameOf(task)))].join("; ");
    stream.write(
      `${summaryOf(now, options.note())}${cells === "" ? "" : ` · running: ${cells}`}\n`,
    );
  };
  const warn = (text: string) => {
    if (isTerminal) erase();
    stream.write(`${text}\n`);
  };
  const runningLine = ({ task, progress: done, attempt }: RunningTask) => {
    const again = attempt > 1 ? ` (attempt ${attempt})` : "";
    return `  ${task.kind.padEnd(5)} ${nameOf(task)}${partOf(task)}  ${percent(done)}${again}`;
  };
  const every = isTerminal ? REDRAW_MS : LOG_MS;
  const timer = isQuiet ? undefined : setInterval(() => void (isTerminal ? draw() : log()), every);

  return {
    line(text) {
      if (!isQuiet) warn(text);
    },
    warn,
    stop() {
      isOver = true;
      clearInterval(timer);
      if (isTerminal) erase();
    },
  };
}

/** Which part of a cell a task computes. */
function partOf(task: Task): string {
  if (task.kind === "train") return "";
  if (task.kind === "analysis") return ` ${task.snapshot} ${task.analysis.name}`;
  return ` ${task.snapshot} at ${task.tile.row},${task.tile.column}`;
}

function barLine(report: ProgressReport, note: string, width: number): string {
  const text = summaryOf(report, note);
  const room = Math.min(30, width - text.length - 4);
  if (room < 5) return text;
  const filled = Math.round(room * report.fraction);
  return `[${"█".repeat(filled)}${"░".repeat(room - filled)}] ${text}`;
}

function summaryOf(report: ProgressReport, note: string): string {
  const { tasksDone, tasksTotal, fraction, tasksPerSecond, etaSeconds, diverged, dead } = report;
  const parts = [
    percent(fraction),
    `ETA ${duration(etaSeconds)}`,
    `${integer(tasksDone)} of ${integer(tasksTotal)} tasks`,
    rate(tasksPerSecond),
  ];
  if (diverged > 0) parts.push(`${diverged} diverged`);
  if (dead > 0) parts.push(`${dead} given up`);
  if (note !== "") parts.push(note);
  return parts.join(" · ");
}

function rate(perSecond: number): string {
  return perSecond >= 1 ? `${perSecond.toFixed(1)}/s` : `${(60 * perSecond).toFixed(1)}/min`;
}

function cellNames(plan: Plan): (task: Task) => string {
  const points = new Map(plan.cells.map(({ id, point }) => [id, point]));
  return ({ cell }) => {
    const point = points.get(cell);
    return point === undefined ? cell : cellName(point);
  };
}
