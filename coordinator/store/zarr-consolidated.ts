/**
 * A group's `zarr.json` with a copy of its arrays' metadata, as zarr-python 3 writes it and xarray looks
 * for it. Zarr v3 itself does not specify this yet (https://github.com/zarr-developers/zarr-specs/pull/309),
 * and readers that do not know it must ignore it.
 */
export function consolidatedGroup(
  attributes: Readonly<Record<string, unknown>>,
  arrays: Iterable<readonly [name: string, zarrJson: Uint8Array]>,
): Uint8Array {
  const metadata: Record<string, unknown> = {};
  for (const [name, json] of arrays) metadata[name] = JSON.parse(Buffer.from(json).toString());
  const group = {
    zarr_format: 3,
    node_type: "group",
    attributes,
    consolidated_metadata: { kind: "inline", must_understand: false, metadata },
  };
  return Buffer.from(JSON.stringify(group, null, 2));
}
