/*
 * replay: runs a harness over the files of folders, as an ordinary test that needs no fuzzer.
 *
 * Promise each file is read to a block of its own size, so that an address sanitizer sees a read
 *         beyond it; a folder without files is a failure. Without arguments: the checked-in corpus
 *         of FUZZ_TARGET, under the environment's srcdir as automake sets it.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"

enum { INPUT_BYTES_MAX = 1 << 20, PATH_BYTES_MAX = 4096 };

static bool replay_file(const char *path)
{
	static uint8_t bytes[INPUT_BYTES_MAX];
	FILE *file = fopen(path, "rb");
	if (!file) {
		perror(path);
		return false;
	}
	size_t size = fread(bytes, 1, sizeof bytes, file);
	fclose(file);

	size_t live_before = mem_live();
	uint8_t *exact = mem_alloc(size ? size : 1);
	MUST(exact);
	memcpy(exact, bytes, size);
	LLVMFuzzerTestOneInput(exact, size);
	mem_free(exact);
	if (mem_live() != live_before)
		fprintf(stderr, "%s: memory was not given back\n", path);
	return mem_live() == live_before;
}

static bool replay_folder(const char *folder)
{
	DIR *dir = opendir(folder);
	if (!dir) {
		perror(folder);
		return false;
	}

	unsigned count = 0;
	bool fine = true;
	for (struct dirent *entry = readdir(dir); entry && fine; entry = readdir(dir)) {
		char path[PATH_BYTES_MAX];
		int bytes = snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
		if (entry->d_name[0] == '.' || bytes < 0 || (size_t)bytes >= sizeof path)
			continue;
		fine = replay_file(path);
		count++;
	}
	closedir(dir);
	printf("%s: %u inputs\n", folder, count);
	return fine && count > 0;
}

int main(int argc, char **argv)
{
	char corpus[PATH_BYTES_MAX];
	const char *srcdir = getenv("srcdir");

	for (int i = 1; i < argc; i++) {
		if (!replay_folder(argv[i]))
			return 1;
	}
	if (argc > 1)
		return 0;
	snprintf(corpus, sizeof corpus, "%s/tests/fuzz/corpus/%s", srcdir ? srcdir : ".",
		 FUZZ_TARGET);
	return replay_folder(corpus) ? 0 : 1;
}
