/* A disk that fails on demand, for LD_PRELOAD: what the file $FAULTS_FILE says happens to regular files.
 * "sync 5": fsync and fdatasync fail with errno 5. "write 30": so does whatever changes a file or a directory.
 * "slow 20000": fsync and fdatasync take so many microseconds more. No file: nothing fails. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define REAL(name) static __typeof__(name) *real; if (!real) real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

static int said(const char *what) {
    char text[64] = "", name[16] = "";
    int number = 0, kept = errno, file = syscall(SYS_openat, AT_FDCWD, getenv("FAULTS_FILE"), O_RDONLY | O_CLOEXEC);
    if (file >= 0) {
        syscall(SYS_read, file, text, sizeof text - 1);
        syscall(SYS_close, file);
        if (sscanf(text, "%15s %d", name, &number) != 2 || strcmp(name, what)) number = 0;
    }
    errno = kept;
    return number;
}

static int fails(const char *what, int file) {
    struct stat found;
    int number;
    if (file >= 0 && (fstat(file, &found) || !(S_ISREG(found.st_mode) || S_ISDIR(found.st_mode)))) return 0;
    if ((number = said(what))) errno = number;
    return number;
}

static int sync_fails(int file) {
    int pause = said("slow");
    if (pause) usleep(pause);
    return fails("sync", file) || fails("write", file);
}

int fsync(int file) { REAL(fsync); return sync_fails(file) ? -1 : real(file); }
int fdatasync(int file) { REAL(fdatasync); return sync_fails(file) ? -1 : real(file); }
ssize_t write(int file, const void *data, size_t size) {
    REAL(write);
    return fails("write", file) ? -1 : real(file, data, size);
}
ssize_t pwrite64(int file, const void *data, size_t size, off_t at) {
    REAL(pwrite64);
    return fails("write", file) ? -1 : real(file, data, size, at);
}
ssize_t pwrite(int file, const void *data, size_t size, off_t at) { return pwrite64(file, data, size, at); }
int ftruncate64(int file, off_t size) {
    REAL(ftruncate64);
    return fails("write", file) ? -1 : real(file, size);
}
int ftruncate(int file, off_t size) { return ftruncate64(file, size); }
int rename(const char *old, const char *new) {
    REAL(rename);
    return fails("write", -1) ? -1 : real(old, new);
}
int link(const char *old, const char *new) {
    REAL(link);
    return fails("write", -1) ? -1 : real(old, new);
}
int mkdir(const char *path, mode_t mode) {
    REAL(mkdir);
    return fails("write", -1) ? -1 : real(path, mode);
}
int open64(const char *path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    mode_t mode = va_arg(rest, mode_t);
    va_end(rest);
    REAL(open64);
    return (flags & O_CREAT) && fails("write", -1) ? -1 : real(path, flags, mode);
}
int open(const char *path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    mode_t mode = va_arg(rest, mode_t);
    va_end(rest);
    return open64(path, flags, mode);
}
