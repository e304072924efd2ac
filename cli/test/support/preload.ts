/** File systems without some feature, imitated by a library that is loaded before the program's own. */
import { spawnSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

/** `fsync` of a folder fails, as on SMB and some FUSE. */
export const WITHOUT_FOLDER_SYNC = `
int fsync(int fd) {
  struct stat s;
  fstat(fd, &s);
  if (S_ISDIR(s.st_mode)) { errno = EINVAL; return -1; }
  return ((int (*)(int))dlsym(RTLD_NEXT, "fsync"))(fd);
}`;

/** There are no hard links, as on FAT, some SMB and FUSE. */
export const WITHOUT_LINKS = `
int link(const char *from, const char *to) { errno = EPERM; return -1; }
int linkat(int a, const char *from, int b, const char *to, int flags) { errno = EPERM; return -1; }`;

/** Whether there is a C compiler; else why a test is left out. */
export function withoutCompiler(): false | string {
  const isHere = process.platform === "linux" && spawnSync("cc", ["--version"]).status === 0;
  return isHere ? false : "no C compiler for Linux here";
}

/** Compiles a function that takes the place of the C library's. @returns what the environment must have. */
export async function preload(folder: string, code: string): Promise<{ LD_PRELOAD: string }> {
  const source = join(folder, "preload.c");
  const library = join(folder, "preload.so");
  const headers = ["dlfcn.h", "errno.h", "sys/stat.h", "unistd.h"];
  const includes = headers.map((header) => `#include <${header}>\n`).join("");
  await writeFile(source, `#define _GNU_SOURCE\n${includes}${code}\n`);
  const { status, stderr } = spawnSync("cc", ["-shared", "-fPIC", "-o", library, source, "-ldl"]);
  if (status !== 0) throw new Error(`cannot compile ${source}: ${stderr}`);
  return { LD_PRELOAD: library };
}
