/*
 * Records what changes files below the folder RECORDED: a line for each operation, in order, appended to the file RECORD,
 * with tabs between operation, inode, number, path, second path, and bytes in hexadecimal. `power-cut.ts` reads it.
 * With RECORD_UNTIL the process kills itself after so many operations. An fsync takes RECORD_SYNC_US at least.
 *
 * Takes the place of the functions of the C library that libuv calls, with absolute paths.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>

/* The C library's own function. */
#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static pthread_mutex_t order = PTHREAD_MUTEX_INITIALIZER;
static const char *root;
static size_t root_length;
static int log_file = -1;
static long until = -1, syncs = 0, sync_us = 0;

__attribute__((constructor)) static void start(void) {
  const char *log = getenv("RECORD"), *most = getenv("RECORD_UNTIL"), *us = getenv("RECORD_SYNC_US");
  if (log == NULL || getenv("RECORDED") == NULL) return;
  log_file = REAL(open)(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (log_file < 0) abort();
  if (most != NULL) until = atol(most);
  if (us != NULL) sync_us = atol(us);
  root = getenv("RECORDED");
  root_length = strlen(root);
}

static int is_recorded(const char *path) {
  if (root == NULL || path == NULL || strncmp(path, root, root_length) != 0) return 0;
  return path[root_length] == '\0' || path[root_length] == '/';
}

/* Whether a descriptor is of a file or folder that is recorded. */
static int is_open_recorded(int fd) {
  if (root == NULL) return 0;
  char link[64], path[PATH_MAX];
  int before = errno;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  errno = before;
  if (length < 0) return 0;
  path[length] = '\0';
  return is_recorded(path);
}

static unsigned long inode_of(int fd) {
  struct stat found;
  return fstat(fd, &found) == 0 ? found.st_ino : 0;
}

static unsigned long inode_at(const char *path) {
  struct stat found;
  return lstat(path, &found) == 0 ? found.st_ino : 0;
}

struct operation {
  const char *name;
  unsigned long inode;
  long number;
  const char *path, *to;
  const void *bytes;
  size_t length;
};

/* The caller has locked `order`. */
static void record(struct operation done) {
  int before = errno;
  const char *path = done.path ? done.path : "", *to = done.to ? done.to : "";
  char *line = malloc(strlen(path) + strlen(to) + 2 * done.length + 100);
  if (line == NULL) abort();
  int length = sprintf(line, "%s\t%lu\t%ld\t%s\t%s\t", done.name, done.inode, done.number, path, to);
  for (size_t i = 0; i < done.length; i++) {
    static const char digits[] = "0123456789abcdef";
    unsigned char byte = ((const unsigned char *)done.bytes)[i];
    line[length++] = digits[byte >> 4];
    line[length++] = digits[byte & 15];
  }
  line[length++] = '\n';
  if (REAL(write)(log_file, line, length) != length) abort();
  free(line);
  if (--until == 0) raise(SIGKILL);
  errno = before;
}

/* A call that changes names: made and recorded as one, so that the record has the order in which things happened. */
#define CHANGE(call, ...)                             \
  do {                                                \
    pthread_mutex_lock(&order);                       \
    int result = call;                                \
    if (result == 0) record((struct operation){__VA_ARGS__}); \
    pthread_mutex_unlock(&order);                     \
    return result;                                    \
  } while (0)

static int open_recorded(__typeof__(&open) real, const char *path, int flags, mode_t mode) {
  if (!is_recorded(path) || !(flags & (O_CREAT | O_TRUNC))) return real(path, flags, mode);
  pthread_mutex_lock(&order);
  unsigned long found = inode_at(path);
  int fd = real(path, flags, mode);
  if (fd >= 0 && found == 0) record((struct operation){"file", inode_of(fd), .path = path});
  if (fd >= 0 && found != 0 && (flags & O_TRUNC)) record((struct operation){"truncate", inode_of(fd)});
  pthread_mutex_unlock(&order);
  return fd;
}

#define OPEN(name)                                        \
  int name(const char *path, int flags, ...) {            \
    va_list rest;                                         \
    va_start(rest, flags);                                \
    mode_t mode = flags & O_CREAT ? va_arg(rest, int) : 0; \
    va_end(rest);                                         \
    return open_recorded(REAL(name), path, flags, mode);  \
  }

static void record_write(int fd, off_t from, const struct iovec *parts, size_t length) {
  for (; length > 0; parts++) {
    size_t part = parts->iov_len < length ? parts->iov_len : length;
    record((struct operation){"write", inode_of(fd), from, .bytes = parts->iov_base, .length = part});
    from += part;
    length -= part;
  }
}

/* `from` is where it was written; -1: where the file was, or at its end. */
#define WRITE(call, fd, from, parts)                                              \
  do {                                                                            \
    if (!is_open_recorded(fd)) return call;                                       \
    pthread_mutex_lock(&order);                                                   \
    ssize_t written = call;                                                       \
    off_t at = (from) < 0 ? lseek(fd, 0, SEEK_CUR) - written : (off_t)(from);     \
    if (written > 0) record_write(fd, at, parts, written);                        \
    pthread_mutex_unlock(&order);                                                 \
    return written;                                                               \
  } while (0)

ssize_t write(int fd, const void *bytes, size_t length) {
  struct iovec whole = {(void *)bytes, length};
  WRITE(REAL(write)(fd, bytes, length), fd, -1, &whole);
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
  WRITE(REAL(writev)(fd, parts, count), fd, -1, parts);
}

#define PWRITE(name, offset)                                            \
  ssize_t name(int fd, const void *bytes, size_t length, offset from) { \
    struct iovec whole = {(void *)bytes, length};                       \
    WRITE(REAL(name)(fd, bytes, length, from), fd, from, &whole);       \
  }

#define PWRITEV(name, offset)                                              \
  ssize_t name(int fd, const struct iovec *parts, int count, offset from) { \
    WRITE(REAL(name)(fd, parts, count, from), fd, from, parts);            \
  }

#define FTRUNCATE(name, offset)                                                      \
  int name(int fd, offset length) {                                                  \
    if (!is_open_recorded(fd)) return REAL(name)(fd, length);                        \
    CHANGE(REAL(name)(fd, length), "truncate", inode_of(fd), .number = (long)length); \
  }

/* What is written between the two lines may be safe or not. */
static int sync_recorded(__typeof__(&fsync) real, int fd) {
  if (!is_open_recorded(fd)) return real(fd);
  pthread_mutex_lock(&order);
  long number = ++syncs;
  record((struct operation){"sync", inode_of(fd), number});
  pthread_mutex_unlock(&order);
  usleep(sync_us);
  CHANGE(real(fd), "synced", inode_of(fd), number);
}

int fsync(int fd) { return sync_recorded(REAL(fsync), fd); }
int fdatasync(int fd) { return sync_recorded(REAL(fdatasync), fd); }

int mkdir(const char *path, mode_t mode) {
  if (!is_recorded(path)) return REAL(mkdir)(path, mode);
  CHANGE(REAL(mkdir)(path, mode), "folder", inode_at(path), .path = path);
}

int symlink(const char *target, const char *path) {
  if (!is_recorded(path)) return REAL(symlink)(target, path);
  CHANGE(REAL(symlink)(target, path), "symlink", inode_at(path), .path = path, .to = target);
}

int link(const char *from, const char *to) {
  if (!is_recorded(to)) return REAL(link)(from, to);
  CHANGE(REAL(link)(from, to), "link", .path = from, .to = to);
}

int rename(const char *from, const char *to) {
  if (!is_recorded(to)) return REAL(rename)(from, to);
  CHANGE(REAL(rename)(from, to), "rename", .path = from, .to = to);
}

int unlink(const char *path) {
  if (!is_recorded(path)) return REAL(unlink)(path);
  CHANGE(REAL(unlink)(path), "remove", .path = path);
}

int rmdir(const char *path) {
  if (!is_recorded(path)) return REAL(rmdir)(path);
  CHANGE(REAL(rmdir)(path), "remove", .path = path);
}

/* libstdc++, in later versions of Node. */
int remove(const char *path) {
  if (!is_recorded(path)) return REAL(remove)(path);
  CHANGE(REAL(remove)(path), "remove", .path = path);
}

int unlinkat(int folder, const char *name, int flags) {
  if (!is_open_recorded(folder)) return REAL(unlinkat)(folder, name, flags);
  char link[64], path[PATH_MAX + NAME_MAX + 2];
  snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
  ssize_t length = readlink(link, path, PATH_MAX);
  if (length < 0) abort();
  snprintf(path + length, NAME_MAX + 2, "/%s", name);
  CHANGE(REAL(unlinkat)(folder, name, flags), "remove", .path = path);
}

OPEN(open)
PWRITE(pwrite, off_t)
PWRITEV(pwritev, off_t)
FTRUNCATE(ftruncate, off_t)
#ifdef __GLIBC__
OPEN(open64)
PWRITE(pwrite64, off64_t)
PWRITEV(pwritev64, off64_t)
FTRUNCATE(ftruncate64, off64_t)
#endif
