#include "protocol/dlms/association_form.h"

#include <catch2/catch.hpp>

using namespace wattmesh::dlms;

TEST_CASE("association form: its words name every form and nothing else", "[dlms]") {
    for (const auto mechanism : {Mechanism::high_md5, Mechanism::high_sha1, Mechanism::high_gmac,
                                 Mechanism::high_sha256, Mechanism::high_ecdsa}) {
        CHECK(mechanism_named(to_string(mechanism)) == mechanism);
        CHECK(mechanism_words().find(to_string(mechanism)) != std::string::npos);
    }
    CHECK(to_string(Mechanism::low).empty());
    CHECK_FALSE(mechanism_named("low"));
    CHECK_FALSE(mechanism_named(""));
    for (const auto framing : {Framing::service, Framing::general, Framing::identified_key,
                               Framing::wrapped_key, Framing::one_pass_dh, Framing::static_dh})
        CHECK(framing_named(to_string(framing)) == framing);
    CHECK_FALSE(framing_named("ded"));
}

TEST_CASE("association form: suite 0 has no curves", "[dlms]") {
    CHECK(AssociationForm{}.fault(Suite::zero).empty());
    CHECK_FALSE(AssociationForm{}.needs_certificates());
    for (const auto& form : {AssociationForm{Mechanism::high_ecdsa, Framing::service, false},
                             AssociationForm{Mechanism::high_gmac, Framing::one_pass_dh, false},
                             AssociationForm{Mechanism::high_gmac, Framing::static_dh, false},
                             AssociationForm{Mechanism::high_gmac, Framing::service, true}}) {
        CHECK(form.needs_certificates());
        CHECK_FALSE(form.fault(Suite::zero).empty());
        CHECK(form.fault(Suite::one).empty());
        CHECK(form.fault(Suite::two).empty());
    }
    CHECK(AssociationForm{Mechanism::high_sha256, Framing::service, false}.needs_secret());
    CHECK_FALSE(AssociationForm{Mechanism::high_sha256, Framing::service, false}.needs_certificates());
}
