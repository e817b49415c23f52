/* A fault at the n-th write of one folder. Preloaded into the desk and into the gate by `make chaos`; never part of the product.
 *
 * MENKA_CHAOS_FOLDER names the folder, MENKA_CHAOS_CONTROL a file of eight 64-bit numbers that the test writes and both map:
 *   0 mode  1 at which write  2 writes so far  3 fired at  4 clock offset in ms  5 seed of the choice in a power cut
 * A write is: write, pwrite, fsync, fdatasync, ftruncate, rename, unlink, rmdir, mkdir, and an open that makes or empties a file. The shared memory
 * index of SQLite (-shm) is left out: it is not durable and is made anew.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { OFF, KILL, TORN, POWER, SHORT, FULL, IO_ONCE, IO, READ_ONLY };
enum { GO, DIE_HALF, HALF };
enum { WRITES, SYNCS, CUTS, NAMES, MAKES, GONE };

struct control { uint64_t mode, at, count, fired; int64_t offset_ms; uint64_t seed, spare[2]; };
static struct control *volatile ctl;
static char folder[PATH_MAX], beside[PATH_MAX];
static size_t folder_len;
static char *open_path[4096];

__attribute__((constructor)) static void begin(void) {
    const char *at = getenv("MENKA_CHAOS_FOLDER"), *file = getenv("MENKA_CHAOS_CONTROL");
    if (!at || !file) return;
    int fd = (int)syscall(SYS_openat, AT_FDCWD, file, O_RDWR | O_CLOEXEC, 0);
    if (fd < 0) return;
    void *map = mmap(NULL, sizeof(struct control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    syscall(SYS_close, fd);
    if (map == MAP_FAILED) return;
    snprintf(folder, sizeof folder, "%s", at);
    folder_len = strlen(folder);
    snprintf(beside, sizeof beside, "%s", file);
    char *slash = strrchr(beside, '/');
    if (slash) *slash = 0;
    ctl = map;
}

static int inside(const char *path) {
    if (!ctl || !path || strncmp(path, folder, folder_len) || (path[folder_len] != '/' && path[folder_len])) return 0;
    size_t len = strlen(path);
    return len < 4 || strcmp(path + len - 4, "-shm");
}

static const char *path_of(int fd) { return ctl && fd >= 0 && fd < 4096 ? open_path[fd] : NULL; }

static void die(void) {
    syscall(SYS_kill, getpid(), SIGKILL);
    for (;;) pause();
}

/* ---- power cut: what was not synced may be lost, each write by itself -------------------------------------------- */

struct undo {
    struct undo *older, *newer;
    int kind; /* WRITES, CUTS, NAMES or GONE */
    ino_t file;
    char *path, *to, *kept;
    off_t at, size;
    size_t len, old_len;
    char *was, *is;
};
static struct undo *newest, *oldest;
static pthread_mutex_t undo_lock = PTHREAD_MUTEX_INITIALIZER;

static struct undo *note(int kind, const char *path) {
    struct undo *u = calloc(1, sizeof *u);
    u->kind = kind;
    u->path = strdup(path);
    struct stat s;
    if (stat(path, &s) == 0) { u->file = s.st_ino; u->size = s.st_size; }
    u->older = newest;
    if (newest) newest->newer = u; else oldest = u;
    return newest = u;
}

static void forget(struct undo *u) {
    if (u->older) u->older->newer = u->newer; else oldest = u->newer;
    if (u->newer) u->newer->older = u->older; else newest = u->older;
    if (u->kept) { syscall(SYS_unlinkat, AT_FDCWD, u->kept, 0); free(u->kept); }
    free(u->path); free(u->to); free(u->was); free(u->is); free(u);
}

static int raw_open(const char *path) { return (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0); }

/* The file of a note, if it is still the one under this name. */
static int same_open(const struct undo *u) {
    struct stat s;
    return stat(u->path, &s) == 0 && s.st_ino == u->file ? raw_open(u->path) : -1;
}

static void note_write(int fd, const char *path, const void *bytes, size_t len, off_t at) {
    if (!ctl || ctl->mode != POWER) return;
    pthread_mutex_lock(&undo_lock);
    struct undo *u = note(WRITES, path);
    u->at = at; u->len = len;
    u->is = malloc(len); memcpy(u->is, bytes, len);
    u->was = malloc(len);
    /* The descriptor at hand: closing another one of this file would drop SQLite's locks on it. */
    ssize_t got = syscall(SYS_pread64, fd, u->was, len, at);
    u->old_len = got > 0 ? (size_t)got : 0;
    pthread_mutex_unlock(&undo_lock);
}

static void note_cut(const char *path, off_t to) {
    if (!ctl || ctl->mode != POWER) return;
    pthread_mutex_lock(&undo_lock);
    struct undo *u = note(CUTS, path);
    u->at = to;
    if (u->size > to) {
        u->len = (size_t)(u->size - to);
        u->was = malloc(u->len);
        int fd = raw_open(path); /* stays open, for the same reason */
        ssize_t got = syscall(SYS_pread64, fd, u->was, u->len, to);
        u->old_len = got > 0 ? (size_t)got : 0;
    }
    pthread_mutex_unlock(&undo_lock);
}

static void note_name(const char *from, const char *to) {
    if (!ctl || ctl->mode != POWER) return;
    pthread_mutex_lock(&undo_lock);
    struct undo *u = note(NAMES, from);
    u->to = strdup(to);
    char kept[PATH_MAX];
    snprintf(kept, sizeof kept, "%s.before-cut", to);
    if (syscall(SYS_linkat, AT_FDCWD, to, AT_FDCWD, kept, 0) == 0) u->kept = strdup(kept);
    pthread_mutex_unlock(&undo_lock);
}

/* A name that is taken away is back after a power cut when its folder was not synced. The file is kept beside the control file meanwhile. */
static void note_gone(const char *path) {
    if (!ctl || ctl->mode != POWER) return;
    static unsigned number;
    char kept[PATH_MAX + 64];
    snprintf(kept, sizeof kept, "%s/gone-%d-%u", beside, (int)getpid(), __atomic_add_fetch(&number, 1, __ATOMIC_SEQ_CST));
    if (syscall(SYS_linkat, AT_FDCWD, path, AT_FDCWD, kept, 0)) return;
    pthread_mutex_lock(&undo_lock);
    struct undo *u = note(GONE, path);
    u->kept = strdup(kept);
    pthread_mutex_unlock(&undo_lock);
}

static void synced(int fd) {
    if (!ctl || ctl->mode != POWER) return;
    struct stat s;
    if (fstat(fd, &s)) return;
    pthread_mutex_lock(&undo_lock);
    for (struct undo *u = oldest, *next; u; u = next) {
        next = u->newer;
        if (S_ISDIR(s.st_mode) ? u->kind >= NAMES : u->kind < NAMES && u->file == s.st_ino) forget(u);
    }
    pthread_mutex_unlock(&undo_lock);
}

static int survives(uint64_t *state) {
    if (!ctl->seed) return 0;
    *state ^= *state << 13; *state ^= *state >> 7; *state ^= *state << 17;
    return (int)(*state >> 33) & 1;
}

/* Back to what was synced, then again those writes that happened to reach the disk. */
static void cut(void) {
    pthread_mutex_lock(&undo_lock);
    for (struct undo *u = newest; u; u = u->older) {
        if (u->kind == NAMES) {
            syscall(SYS_renameat2, AT_FDCWD, u->to, AT_FDCWD, u->path, 0);
            if (u->kept) syscall(SYS_linkat, AT_FDCWD, u->kept, AT_FDCWD, u->to, 0);
            continue;
        }
        if (u->kind == GONE) {
            /* Not over a file that was made under this name since. */
            syscall(SYS_linkat, AT_FDCWD, u->kept, AT_FDCWD, u->path, 0);
            continue;
        }
        int fd = same_open(u);
        if (fd < 0) continue;
        if (u->old_len) syscall(SYS_pwrite64, fd, u->was, u->old_len, u->at);
        syscall(SYS_ftruncate, fd, u->size);
    }
    uint64_t state = ctl->seed * 0x9E3779B97F4A7C15ull + 1;
    for (struct undo *u = oldest; u; u = u->newer) {
        if (u->kind == NAMES) {
            /* The order of names and contents is not promised either. */
            if (survives(&state)) syscall(SYS_renameat2, AT_FDCWD, u->path, AT_FDCWD, u->to, 0);
            if (u->kept) syscall(SYS_unlinkat, AT_FDCWD, u->kept, 0);
            continue;
        }
        if (u->kind == GONE) {
            struct stat now;
            if (survives(&state) && stat(u->path, &now) == 0 && now.st_ino == u->file) syscall(SYS_unlinkat, AT_FDCWD, u->path, 0);
            syscall(SYS_unlinkat, AT_FDCWD, u->kept, 0);
            continue;
        }
        if (!survives(&state)) continue;
        int fd = same_open(u);
        if (fd < 0) continue;
        if (u->kind == CUTS) syscall(SYS_ftruncate, fd, u->at);
        else syscall(SYS_pwrite64, fd, u->is, u->len, u->at);
    }
}

/* ---- the count ---------------------------------------------------------------------------------------------------- */

/* GO, DIE_HALF, HALF, or a negative errno. */
static int step(int kind) {
    struct control *c = ctl;
    if (!c || c->mode == OFF) return GO;
    uint64_t n = __atomic_add_fetch(&c->count, 1, __ATOMIC_SEQ_CST), at = c->at;
    int here = n == at, from = n >= at, error = 0;
    switch (c->mode) {
    case KILL: if (here) { c->fired = n; die(); } return GO;
    case POWER: if (here) { c->fired = n; cut(); die(); } return GO;
    case TORN: if (here) { c->fired = n; if (kind != WRITES) die(); return DIE_HALF; } return GO;
    case SHORT: if (here && kind == WRITES) { c->fired = n; return HALF; } return GO;
    case FULL: if (from && (kind == WRITES || kind == MAKES)) error = ENOSPC; break;
    case IO_ONCE: if (here) error = EIO; break;
    case IO: if (from) error = EIO; break;
    case READ_ONLY: if (from) error = EROFS; break;
    }
    if (error && !c->fired) c->fired = n;
    return -error;
}

#define REAL(name, type) static __typeof__(type) *real; if (!real) real = (__typeof__(type) *)dlsym(RTLD_NEXT, #name)
#define FAIL(s) do { errno = -(s); return -1; } while (0)

static int opened(int fd, const char *path) {
    if (fd >= 0 && fd < 4096) {
        char *old = open_path[fd];
        open_path[fd] = inside(path) ? strdup(path) : NULL;
        free(old);
    }
    return fd;
}

static int may_open(const char *path, int flags) {
    if (!inside(path)) return GO;
    int makes = (flags & O_CREAT) && access(path, F_OK), empties = (flags & O_TRUNC) && !makes;
    if (!makes && !empties) return GO;
    int s = step(MAKES);
    if (s == GO && empties) note_cut(path, 0);
    return s;
}

typedef int open_t(const char *, int, ...);
typedef int openat_t(int, const char *, int, ...);
#define OPEN(name) \
    int name(const char *path, int flags, ...) { \
        REAL(name, open_t); \
        va_list more; va_start(more, flags); mode_t mode = va_arg(more, mode_t); va_end(more); \
        int s = may_open(path, flags); if (s < 0) FAIL(s); \
        return opened(real(path, flags, mode), path); }
OPEN(open)
OPEN(open64)
#define OPENAT(name) \
    int name(int dir, const char *path, int flags, ...) { \
        REAL(name, openat_t); \
        va_list more; va_start(more, flags); mode_t mode = va_arg(more, mode_t); va_end(more); \
        int s = may_open(path, flags); if (s < 0) FAIL(s); \
        return opened(real(dir, path, flags, mode), path); }
OPENAT(openat)
OPENAT(openat64)

int close(int fd) {
    REAL(close, int(int));
    if (fd >= 0 && fd < 4096 && open_path[fd]) { char *old = open_path[fd]; open_path[fd] = NULL; free(old); }
    return real(fd);
}

ssize_t write(int fd, const void *bytes, size_t len) {
    const char *path = path_of(fd);
    if (!path || !len) return syscall(SYS_write, fd, bytes, len);
    int s = step(WRITES);
    if (s < 0) FAIL(s);
    if (s != GO) { ssize_t done = syscall(SYS_write, fd, bytes, (len + 1) / 2); if (s == DIE_HALF) die(); return done; }
    note_write(fd, path, bytes, len, lseek(fd, 0, SEEK_CUR));
    return syscall(SYS_write, fd, bytes, len);
}

static ssize_t put(int fd, const void *bytes, size_t len, off_t at) {
    const char *path = path_of(fd);
    if (!path || !len) return syscall(SYS_pwrite64, fd, bytes, len, at);
    int s = step(WRITES);
    if (s < 0) FAIL(s);
    if (s != GO) { ssize_t done = syscall(SYS_pwrite64, fd, bytes, (len + 1) / 2, at); if (s == DIE_HALF) die(); return done; }
    note_write(fd, path, bytes, len, at);
    return syscall(SYS_pwrite64, fd, bytes, len, at);
}
ssize_t pwrite(int fd, const void *bytes, size_t len, off_t at) { return put(fd, bytes, len, at); }
ssize_t pwrite64(int fd, const void *bytes, size_t len, off64_t at) { return put(fd, bytes, len, at); }

static int sync_one(int fd, long call) {
    /* A folder is synced through a descriptor that was opened for reading. */
    if (!path_of(fd)) return (int)syscall(call, fd);
    int s = step(SYNCS);
    if (s < 0) FAIL(s);
    int done = (int)syscall(call, fd);
    if (done == 0) synced(fd);
    return done;
}
int fsync(int fd) { return sync_one(fd, SYS_fsync); }
int fdatasync(int fd) { return sync_one(fd, SYS_fdatasync); }

static int shorten(int fd, off_t to) {
    const char *path = path_of(fd);
    if (path) {
        int s = step(CUTS);
        if (s < 0) FAIL(s);
        note_cut(path, to);
    }
    return (int)syscall(SYS_ftruncate, fd, to);
}
int ftruncate(int fd, off_t to) { return shorten(fd, to); }
int ftruncate64(int fd, off64_t to) { return shorten(fd, to); }

int rename(const char *from, const char *to) {
    if (inside(from) || inside(to)) {
        int s = step(NAMES);
        if (s < 0) FAIL(s);
        note_name(from, to);
    }
    return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

int unlink(const char *path) {
    if (inside(path)) { int s = step(NAMES); if (s < 0) FAIL(s); note_gone(path); }
    return (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
}

int rmdir(const char *path) {
    if (inside(path)) { int s = step(NAMES); if (s < 0) FAIL(s); }
    return (int)syscall(SYS_unlinkat, AT_FDCWD, path, AT_REMOVEDIR);
}

/* As a whole folder is taken away. */
int unlinkat(int dir, const char *path, int flags) {
    if (inside(path) || (path[0] != '/' && path_of(dir))) { int s = step(NAMES); if (s < 0) FAIL(s); }
    return (int)syscall(SYS_unlinkat, dir, path, flags);
}

int mkdir(const char *path, mode_t mode) {
    if (inside(path)) { int s = step(MAKES); if (s < 0) FAIL(s); }
    return (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
}

/* ---- the clock of the wall; waits are measured on another ---------------------------------------------------------- */

int clock_gettime(clockid_t which, struct timespec *t) {
    REAL(clock_gettime, int(clockid_t, struct timespec *));
    int done = real(which, t);
    int64_t ms = ctl ? ctl->offset_ms : 0;
    if (done == 0 && which == CLOCK_REALTIME && ms) {
        int64_t ns = t->tv_nsec + (ms % 1000) * 1000000;
        t->tv_sec += ms / 1000 + (ns < 0 ? -1 : ns / 1000000000);
        t->tv_nsec = ns < 0 ? ns + 1000000000 : ns % 1000000000;
    }
    return done;
}

int gettimeofday(struct timeval *tv, void *zone) {
    (void)zone;
    struct timespec t;
    if (clock_gettime(CLOCK_REALTIME, &t)) return -1;
    tv->tv_sec = t.tv_sec;
    tv->tv_usec = t.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *out) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    if (out) *out = t.tv_sec;
    return t.tv_sec;
}
