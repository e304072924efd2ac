import { join } from "node:path";
import { digestOf } from "../../shared/identity.ts";
import { readIfThere, readTextIfThere } from "./files.ts";
import { SUMMARY_CSV, SUMMARY_JSON } from "./layout.ts";
import { unsealJson } from "./sealed-json.ts";

/** Which of the summary's files exist and are damaged. */
export async function damagedSummary(directory: string): Promise<string[]> {
  const json = await readTextIfThere(join(directory, SUMMARY_JSON));
  const csv = await readIfThere(join(directory, SUMMARY_CSV));
  const content = json === null ? null : unsealJson(json);
  const damaged = [];
  if (json !== null && content === null) damaged.push(SUMMARY_JSON);
  if (csv !== null && content !== null && content.csv !== digestOf(csv)) damaged.push(SUMMARY_CSV);
  return damaged;
}
