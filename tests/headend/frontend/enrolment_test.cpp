#include "headend/frontend/enrolment.h"

#include <catch2/catch.hpp>

namespace wattmesh::headend::frontend {

TEST_CASE("enrolment: the request's line, at every chunking", "[frontend]") {
    const std::string line = R"({"number":"900000000001","code":"WM1-A-B","csr":"-----BEGIN"})";
    const std::string stream = line + "\nmore";
    for (std::size_t size = 1; size <= stream.size(); ++size) {
        EnrolmentLine cutter;
        std::optional<std::string> found;
        for (std::size_t at = 0; at < stream.size() && !found; at += size)
            found = cutter.feed(as_bytes(stream).subspan(at, std::min(size, stream.size() - at)));
        CHECK(found == line);
    }
    const auto request = parse_enrolment(line);
    REQUIRE(std::holds_alternative<EnrolmentRequest>(request));
    CHECK(to_string(std::get<EnrolmentRequest>(request).number) == "900000000001");
    CHECK(std::get<EnrolmentRequest>(request).code == "WM1-A-B");
    CHECK(std::get<EnrolmentRequest>(request).request_pem == "-----BEGIN");
}

TEST_CASE("enrolment: refuses a malformed line in words, every prefix of a good one too", "[frontend]") {
    struct Row {
        const char* line;
        const char* error;
    };
    const auto row = GENERATE(values<Row>({
        {"", "the enrolment request is not a JSON object on one line"},
        {"GET / HTTP/1.1", "the enrolment request is not a JSON object on one line"},
        {"[]", "the enrolment request is not a JSON object on one line"},
        {"[[[[[[[[[[[[", "the enrolment request is not a JSON object on one line"},
        {"{}", "the enrolment request has no text \"number\""},
        {R"({"number":900000000001,"code":"","csr":""})", "the enrolment request has no text \"number\""},
        {R"({"number":"9","code":"","csr":""})", "\"number\" is not twelve decimal digits"},
        {R"({"number":"900000000001","code":"x"})", "the enrolment request has no text \"csr\""},
    }));
    DYNAMIC_SECTION(row.line) {
        const auto request = parse_enrolment(row.line);
        REQUIRE(std::holds_alternative<EnrolmentRefusal>(request));
        CHECK(std::get<EnrolmentRefusal>(request).error == row.error);
    }
    const std::string line = R"({"number":"900000000001","code":"WM1","csr":"C"})";
    for (std::size_t size = 0; size < line.size(); ++size) {
        CAPTURE(size);
        CHECK(std::holds_alternative<EnrolmentRefusal>(parse_enrolment(line.substr(0, size))));
    }
}

TEST_CASE("enrolment: a line without an end is given up", "[frontend]") {
    EnrolmentLine cutter;
    const Buffer chunk(1'000, 'x');
    for (int i = 0; i < 17; ++i) CHECK_FALSE(cutter.feed(chunk));
    CHECK(cutter.too_long());
}

TEST_CASE("enrolment: the answer's line", "[frontend]") {
    CHECK(format_enrolment(EnrolmentRefusal{"no"}) == "{\"error\":\"no\"}\n");
    const EnrolmentGrant grant{"C", "A", Buffer(16, 0xFF), 7};
    CHECK(format_enrolment(grant) ==
          "{\"ca\":\"A\",\"certificate\":\"C\",\"kek\":\"/////////////////////w==\",\"renew_after_s\":7}\n");
}

}  // namespace wattmesh::headend::frontend
