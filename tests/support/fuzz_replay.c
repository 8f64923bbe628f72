/* Stands in for libFuzzer in ordinary builds: runs the target over every file of the folders (or single
 * files) that are named, in order of name, so that what a fuzzer once found stays found. */
#include <dirent.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* 1 if the file was read. The target gets an exact heap copy, so that sanitizers see a read past its end. */
static int replay_file(const char *path) {
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        return 0;
    }
    uint8_t *data = NULL;
    size_t size = 0;
    uint8_t part[4096];
    size_t n;
    while ((n = fread(part, 1, sizeof part, file)) > 0) {
        uint8_t *grown = realloc(data, size + n);
        if (grown == NULL) {
            abort();
        }
        data = grown;
        memcpy(data + size, part, n);
        size += n;
    }
    fclose(file);
    LLVMFuzzerTestOneInput(data, size);
    free(data);
    return 1;
}

/* The number of files replayed; -1 if `path` is not a folder. */
static int replay_folder(const char *path) {
    struct dirent **entries;
    int count = scandir(path, &entries, NULL, alphasort);
    if (count < 0) {
        return -1;
    }
    int replayed = 0;
    for (int i = 0; i < count; i++) {
        if (entries[i]->d_name[0] != '.') {
            char file[4096];
            snprintf(file, sizeof file, "%s/%s", path, entries[i]->d_name);
            replayed += replay_file(file);
        }
        free(entries[i]);
    }
    free(entries);
    return replayed;
}

int main(int argc, char **argv) {
    int replayed = 0;
    for (int i = 1; i < argc; i++) {
        int in_folder = replay_folder(argv[i]);
        replayed += in_folder < 0 ? replay_file(argv[i]) : in_folder;
    }
    printf("%d inputs replayed\n", replayed);
    return replayed == 0; /* a corpus that is not there is a mistake */
}
