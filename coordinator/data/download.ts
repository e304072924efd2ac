/** Downloads files whole or not at all: from the first source that has the right bytes, continued where it broke off. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, open, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { UsageError } from "../../shared/errors.ts";
import { IDX_FILES } from "./idx.ts";

export interface RemoteFile {
  readonly name: string;
  /** Of the file as it is downloaded, in hex. A check against accidents: who offers a source is trusted. */
  readonly md5: string;
}

/** What `ftle data get` knows of a set. */
export interface RemoteSet {
  /** Folders, without a slash at the end. */
  readonly sources: readonly string[];
  readonly files: readonly RemoteFile[];
}

const { trainImages, trainLabels, testImages, testLabels } = IDX_FILES;

/** Sets in the format of MNIST, by name. */
export const REMOTE_SETS: Readonly<Record<string, RemoteSet>> = {
  mnist: {
    sources: [
      "https://ossci-datasets.s3.amazonaws.com/mnist",
      "https://storage.googleapis.com/cvdf-datasets/mnist",
    ],
    files: [
      { name: `${trainImages}.gz`, md5: "f68b3c2dcbeaaa9fbdd348bbdeb94873" },
      { name: `${trainLabels}.gz`, md5: "d53e105ee54ea40749a09fcbcd1e9432" },
      { name: `${testImages}.gz`, md5: "9fb629c4189551a2d022fa330f9573f3" },
      { name: `${testLabels}.gz`, md5: "ec29112dd5afa0611ce80d1b7f02629c" },
    ],
  },
  "fashion-mnist": {
    sources: [
      "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
      "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion",
    ],
    files: [
      { name: `${trainImages}.gz`, md5: "8d4fb7e6c68d591d4c3dfef9ec88bf0d" },
      { name: `${trainLabels}.gz`, md5: "25c81989df183df01b3e8a0aad5dffbe" },
      { name: `${testImages}.gz`, md5: "bef4ecab320f06d8554ea6380940ec79" },
      { name: `${testLabels}.gz`, md5: "bb300cfdad3c16e7a12a480ee83cd310" },
    ],
  },
};

export interface DownloadOptions {
  /** Where the files go. */
  readonly folder: string;
  readonly signal: AbortSignal;
  /** Bytes of a file so far, and of all of it if the source says so. */
  onProgress?(name: string, bytes: number, of: number | null): void;
  /** Says why a source is passed over. */
  onNotice?(line: string): void;
}

/**
 * @returns the files that were not there yet.
 * @throws UsageError naming what was wrong with each source; the signal's reason.
 */
export async function downloadSet(
  { sources, files }: RemoteSet,
  options: DownloadOptions,
): Promise<string[]> {
  const { folder } = options;
  await mkdir(folder, { recursive: true }).catch((error) => {
    throw new UsageError(`cannot make ${folder}: ${causeOf(error)}`);
  });
  const fetched: string[] = [];
  for (const file of files) {
    const path = join(folder, file.name);
    if ((await md5Of(path)) === file.md5) continue;
    await downloadFile(sources, file, { ...options, path });
    fetched.push(file.name);
  }
  return fetched;
}

interface FileOptions extends DownloadOptions {
  readonly path: string;
}

async function downloadFile(
  sources: readonly string[],
  file: RemoteFile,
  options: FileOptions,
): Promise<void> {
  const { path, signal, onNotice = () => {} } = options;
  const part = `${path}.part`;
  const reasons: string[] = [];
  for (const source of sources) {
    const url = `${source.replace(/\/$/, "")}/${file.name}`;
    try {
      await fetchInto(url, part, { ...options, name: file.name });
      const found = await md5Of(part);
      if (found === file.md5) {
        await rename(part, path);
        await syncFolder(dirname(path));
        return;
      }
      await rm(part, { force: true });
      throw new Error(`expected bytes with MD5 ${file.md5}, found ${found}`);
    } catch (error) {
      signal.throwIfAborted();
      reasons.push(`${url}: ${causeOf(error)}`);
      onNotice(reasons.at(-1)!);
    }
  }
  const hint = "name another source with --from URL, or put the files there yourself";
  throw new UsageError(`cannot get ${file.name}: ${reasons.join("; ")}; ${hint}`);
}

/** Appends what is missing of a file, if the source can begin in the middle; else gets all of it. */
async function fetchInto(
  url: string,
  part: string,
  { signal, name, onProgress = () => {} }: DownloadOptions & { readonly name: string },
): Promise<void> {
  const there = await stat(part).then(
    ({ size }) => size,
    () => 0,
  );
  const headers = there > 0 ? { range: `bytes=${there}-` } : {};
  const response = await fetch(url, { headers, signal });
  if (response.status === 416) return; // there is no more: its checksum tells whether it is whole
  if (!response.ok || response.body === null) throw new Error(`HTTP status ${response.status}`);
  const isContinued = response.status === 206;
  const from = isContinued ? there : 0;
  const rest = Number(response.headers.get("content-length"));
  const file = await open(part, isContinued ? "a" : "w");
  try {
    let bytes = from;
    for await (const chunk of response.body) {
      await file.write(chunk);
      bytes += chunk.length;
      onProgress(name, bytes, rest > 0 ? from + rest : null);
    }
    await file.sync();
  } finally {
    await file.close();
  }
}

async function md5Of(path: string): Promise<string | null> {
  const hash = createHash("md5");
  try {
    for await (const chunk of createReadStream(path)) hash.update(chunk);
  } catch {
    return null;
  }
  return hash.digest("hex");
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  await folder.sync();
  await folder.close();
}

/** `fetch` hides the reason in the cause. */
function causeOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error && cause.message !== "" ? cause.message : message;
}
