import { join } from "node:path";
import { digestOf } from "../../shared/identity.ts";
import { readIfThere, readTextIfThere } from "./files.ts";
import { SUMMARY_CSV, SUMMARY_JSON } from "./layout.ts";
import { unsealJson } from "./sealed-json.ts";

/** Which of the summary's files exist and are damaged. */
export async function damagedSummary(directory: string): Promise<string[]> {
  return (await examineSummary(directory)).damaged;
}

/** Also the digest of the summary's table; null if not both files are there and whole. */
export async function examineSummary(
  directory: string,
): Promise<{ damaged: string[]; digest: string | null }> {
  const json = await readTextIfThere(join(directory, SUMMARY_JSON));
  const csv = await readIfThere(join(directory, SUMMARY_CSV));
  const content = json === null ? null : unsealJson(json);
  const digest = csv === null ? null : digestOf(csv);
  const damaged = [];
  if (json !== null && content === null) damaged.push(SUMMARY_JSON);
  const isWhole = content !== null && content.csv === digest;
  if (csv !== null && content !== null && !isWhole) damaged.push(SUMMARY_CSV);
  return { damaged, digest: isWhole ? digest : null };
}
