/* A disk that notes what would outlast a power cut, for LD_PRELOAD. Under $POWER_ROOT, whenever a file is synced, its
 * bytes go to $POWER_KEPT/files/<inode>; whenever a directory is, its entries go to $POWER_KEPT/directories/<inode>, a
 * line for each: "d" or "f", inode, name. A link in $POWER_KEPT/pins keeps the inode of a file from being given to another. */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define REAL(name) static __typeof__(name) *real; if (!real) real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

static void place(char *path, const char *what, unsigned long inode) {
    snprintf(path, PATH_MAX, "%s/%s/%lu", getenv("POWER_KEPT"), what, inode);
}

/* A file that can be read is not opened again: to close it would let go of every lock that this process has on it. */
static void copy(int file, const char *from, int draft, const struct stat *found) {
    off_t at = 0;
    int readable = (fcntl(file, F_GETFL) & O_ACCMODE) != O_WRONLY;
    int source = readable ? file : open(from, O_RDONLY | O_CLOEXEC);
    fchmod(draft, found->st_mode & 07777);
    while (sendfile(draft, source, &at, 1 << 20) > 0) {}
    if (!readable) close(source);
}

static void list(const char *from, int draft) {
    DIR *directory = opendir(from);
    struct dirent *each;
    while ((each = readdir(directory)))
        if (strcmp(each->d_name, ".") && strcmp(each->d_name, ".."))
            dprintf(draft, "%c %lu %s\n", each->d_type == DT_DIR ? 'd' : 'f', (unsigned long)each->d_ino, each->d_name);
    closedir(directory);
}

static void keep(int file) {
    char link[64], path[PATH_MAX], kept[PATH_MAX], draft[PATH_MAX + 32], *root = getenv("POWER_ROOT");
    struct stat found;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0 || !root || strncmp(path, root, strlen(root)) || fstat(file, &found)) return;
    if (S_ISREG(found.st_mode)) {
        place(kept, "pins", found.st_ino);
        linkat(AT_FDCWD, link, AT_FDCWD, kept, AT_SYMLINK_FOLLOW);
    }
    place(kept, S_ISDIR(found.st_mode) ? "directories" : "files", found.st_ino);
    snprintf(draft, sizeof draft, "%s.%ld", kept, syscall(SYS_gettid));
    int made = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (S_ISDIR(found.st_mode)) list(link, made);
    else copy(file, link, made, &found);
    close(made);
    rename(draft, kept); /* whole or not at all */
}

static int kept_if(int failed, int file) {
    int number = errno, turn = open(getenv("POWER_KEPT"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    flock(turn, LOCK_EX); /* of all processes, or an older copy might replace a newer one */
    if (!failed) keep(file);
    close(turn);
    errno = number;
    return failed;
}

int fsync(int file) { REAL(fsync); return kept_if(real(file), file); }
int fdatasync(int file) { REAL(fdatasync); return kept_if(real(file), file); }
