/* XXH64 against values published with its implementations, of every way through the algorithm. */
#include "base/checksum.h"

#include "support/check.h"

static void test_published_values(void) {
    static const struct {
        const char *text;
        uint64_t seed, sum;
    } cases[] = {
        {"", 0, UINT64_C(0xEF46DB3751D8E999)},
        {"a", 0, UINT64_C(0xD24EC4F1A98C6E5B)},
        {"abc", 0, UINT64_C(0x44BC2CF5AD770999)},
        {"xxhash", 20141025, UINT64_C(0xB559B98D844E0635)},
        {"I want an unsigned 64-bit seed!", 0, UINT64_C(0xD4CB0A70A2B8C7C1)},
        {"I want an unsigned 64-bit seed!", 1, UINT64_C(0xCE5087F12470D961)},
        {"Nobody inspects the spammish repetition", 0, UINT64_C(0xFBCEA83C8A378BF1)},
    };
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        check_context("\"%s\" seed %" PRIu64, cases[k].text, cases[k].seed);
        CHECK(fsim_checksum(cases[k].text, strlen(cases[k].text), cases[k].seed) == cases[k].sum);
    }
}

/* Where the bytes stand in memory plays no part. */
static void test_any_address(void) {
    char bytes[128];
    uint64_t first = 0;
    for (size_t shift = 0; shift < 8; shift++) {
        for (size_t i = 0; i < 100; i++) {
            bytes[shift + i] = (char)(i * 7);
        }
        uint64_t sum = fsim_checksum(bytes + shift, 100, 5);
        first = shift == 0 ? sum : first;
        CHECK(sum == first);
    }
}

int main(void) {
    RUN(test_published_values);
    RUN(test_any_address);
    return check_done();
}
