/**
 * A group's `zarr.json` with a copy of its arrays' metadata, as zarr-python 3 writes it and xarray looks
 * for it. Zarr v3 itself does not specify this yet (https://github.com/zarr-developers/zarr-specs/pull/309),
 * and readers that do not know it must ignore it.
 */
export function consolidatedGroup(
  attributes: Attributes,
  arrays: Iterable<readonly [name: string, zarrJson: Uint8Array]>,
): Uint8Array {
  return groupOver(arrays)(attributes);
}

type Attributes = Readonly<Record<string, unknown>>;

/** As `consolidatedGroup`, for many groups of the same arrays: only the attributes are written anew. */
export function groupOver(
  arrays: Iterable<readonly [name: string, zarrJson: Uint8Array]>,
): (attributes: Attributes) => Uint8Array {
  const metadata: Record<string, unknown> = {};
  for (const [name, json] of arrays) metadata[name] = JSON.parse(Buffer.from(json).toString());
  const group = {
    zarr_format: 3,
    node_type: "group",
    attributes: {},
    consolidated_metadata: { kind: "inline", must_understand: false, metadata },
  };
  const start = '"attributes": ';
  const text = JSON.stringify(group, null, 2);
  const at = text.indexOf(`${start}{}`) + start.length;
  const [before, after] = [text.slice(0, at), text.slice(at + "{}".length)];
  return (attributes) => {
    const inside = JSON.stringify(attributes, null, 2).replaceAll("\n", "\n  ");
    return Buffer.from(`${before}${inside}${after}`);
  };
}
