// A plain program that knows nothing of Leasehold: it greets whomever its arguments name, in the language that LANG asks for,
// and counts the lines on standard input.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *greeting(void) {
    const char *language = getenv("LANG");
    if (language != NULL && strncmp(language, "de", 2) == 0) {
        return "Hallo";
    }
    if (language != NULL && strncmp(language, "fr", 2) == 0) {
        return "Bonjour";
    }
    return "Hello";
}

int main(int argc, char **argv) {
    if (argc < 2) {
        printf("%s, world!\n", greeting());
    }
    for (int i = 1; i < argc; i++) {
        printf("%s, %s!\n", greeting(), argv[i]);
    }

    unsigned long lines = 0;
    int byte;
    while ((byte = getchar()) != EOF) {
        if (byte == '\n') {
            lines++;
        }
    }
    if (lines > 0) {
        printf("%lu lines on standard input\n", lines);
    }
    return ferror(stdin) || fflush(stdout) != 0 ? 1 : 0;
}
