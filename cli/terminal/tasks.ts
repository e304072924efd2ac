/** Counts of tasks, in words. */
import type { Load } from "../../coordinator/plan/cost.ts";
import { counted } from "./format.ts";

/** Tasks to run. */
export type TasksToRun = Pick<Load, "trainings" | "tiles" | "analyses">;

export function tasksOf({ trainings, tiles, analyses }: TasksToRun): TasksToRun {
  return { trainings, tiles, analyses };
}

export function tasksIn({ trainings, tiles, analyses }: TasksToRun): number {
  return trainings + tiles + analyses;
}

/** Such as "2 trainings, 8 tiles"; analyses only if there are any. */
export function tasksText({ trainings, tiles, analyses }: TasksToRun): string {
  const parts = [counted(trainings, "training"), counted(tiles, "tile")];
  if (analyses > 0) parts.push(counted(analyses, "analysis", "analyses"));
  return parts.join(", ");
}
