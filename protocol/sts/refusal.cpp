#include "protocol/sts/refusal.h"

namespace wattmesh::sts {
namespace {

struct Words {
    std::string_view name, sentence;
};

constexpr Words words_of(Refusal refusal) {
    switch (refusal) {
        case Refusal::none:
            return {"accepted", "the token is good"};
        case Refusal::format:
            return {"format_error",
                    "this is no token: a token has 20 digits, and none is above 7378 6976 2948 3820 6463"};
        case Refusal::function:
            return {"function_error",
                    "this kind of token is reserved or not one for this meter, or a digit is wrong"};
        case Refusal::no_key:
            return {"no_key", "the token is encrypted: the meter's key is needed to look into it"};
        case Refusal::checksum:
            return {"crc_error",
                    "a digit is wrong, or the token is for another meter, or made under another key than the "
                    "meter's: compare meter number, supply group, key revision and tariff index"};
        case Refusal::default_key:
            return {"ddtk_error",
                    "the meter has a default key, which takes no credit: enter its key change tokens first"};
        case Refusal::key_type:
            return {"key_type_error", "the meter's type of key does not change to this type"};
        case Refusal::key_expired:
            return {
                "key_expired_error",
                "the key has expired: its expiry number ends before the time of this token, the meter needs "
                "a key change"};
        case Refusal::old:
            return {"old_error",
                    "the token is older than every one that the meter remembers: it was bought before tokens "
                    "that were entered already, or before a key change"};
        case Refusal::used:
            return {"used_error", "the token was entered before: its credit is on the meter already"};
        case Refusal::range:
            return {"range_error", "the token holds a value that its command does not know"};
        case Refusal::overflow:
            return {"overflow_error",
                    "the meter cannot hold that much credit: enter the token again when some is used"};
        case Refusal::manufacturer:
            return {"mfr_code_error", "the test token is for meters of another make"};
        case Refusal::locked_out:
            return {"locked_out", "too many wrong tokens were entered: the meter takes none for a while"};
    }
    return {"?", "?"};
}

}  // namespace

std::string_view to_string(Refusal refusal) { return words_of(refusal).name; }
std::string_view explain(Refusal refusal) { return words_of(refusal).sentence; }

}  // namespace wattmesh::sts
