/* The examples of FIPS 180-2, appendix B, whole and in pieces. */
#include "base/sha256.h"
#include "support/check.h"

static void check_hash(const char *text, size_t repeat, size_t piece, const char *expected) {
    fsim_sha256 hash;
    char hex[FSIM_SHA256_TEXT_SIZE];
    fsim_sha256_begin(&hash);
    for (size_t r = 0; r < repeat; r++) {
        for (size_t at = 0, size = strlen(text); at < size; at += piece) {
            fsim_sha256_add(&hash, text + at, size - at < piece ? size - at : piece);
        }
    }
    fsim_sha256_end(&hash, hex);
    CHECK_EQ_STR(hex, expected);
}

static void test_published(void) {
    static const char two_blocks[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    check_hash("", 1, 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    check_hash("abc", 1, 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    for (size_t piece = 1; piece <= 56; piece++) {
        check_hash(two_blocks, 1, piece, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    }
    check_hash("aaaaaaaaaa", 100000, 10, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

int main(void) {
    RUN(test_published);
    return check_done();
}
