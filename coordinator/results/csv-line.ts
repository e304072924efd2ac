/** A line of CSV (RFC 4180) without its end: texts with commas, quotes or line breaks are in quotes. */
export function csvLine(values: readonly unknown[]): string {
  return values.map(cell).join(",");
}

function cell(value: unknown): string {
  if (typeof value !== "string") return String(value ?? "");
  return /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}
