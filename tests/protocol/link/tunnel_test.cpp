// Expected octets: the layout in tunnel.h by hand, framed by an independent RFC 1662 program (FCS "123456789"
// = 906E).
#include <catch2/catch.hpp>
#include <random>

#include "protocol/link/tunnel_line.h"

namespace wattmesh::link {
namespace {

struct TunnelVector {
    TunnelMessage message;
    const char* payload;
    const char* line;
};
const TunnelVector tunnel_vectors[] = {
    {TunnelOpen{1, 8'192}, "01000100002000", "7E01000100002000D23B7E"},
    {TunnelOpened{1, 8'192}, "02000100002000", "7E02000100002000BC937E"},
    {TunnelData{1, 5, {0x16, 0x03, 0x01, 0x7E, 0x7D}}, "030001000000051603017E7D",
     "7E030001000000051603017D5E7D5DEFED7E"},
    {TunnelCredit{1, 12'288}, "04000100003000", "7E04000100003000E05E7E"},
    {TunnelClose{1, TunnelReason::uplink_down}, "05000101", "7E05000101D89A7E"},
};

Buffer octets_of(const char* text) { return from_hex(text).value(); }

std::vector<TunnelMessage> tunnel_talk() {
    std::vector<TunnelMessage> talk;
    for (const auto& row : tunnel_vectors) talk.push_back(row.message);
    return talk;
}

std::vector<TunnelMessage> heard(TunnelLineDecoder& decoder) {
    std::vector<TunnelMessage> messages;
    while (auto message = decoder.next()) messages.push_back(*std::move(message));
    return messages;
}

}  // namespace

TEST_CASE("tunnel: each message as its octets, and on the line", "[link]") {
    for (const auto& row : tunnel_vectors) {
        CHECK(encode_tunnel(row.message) == octets_of(row.payload));
        CHECK(decode_tunnel(octets_of(row.payload)).value() == row.message);
        CHECK(to_hex(encode_tunnel_line(row.message)) == row.line);
        TunnelLineDecoder decoder;
        decoder.feed(octets_of(row.line));
        CHECK(heard(decoder) == std::vector{row.message});
    }
}

TEST_CASE("tunnel: refuses every truncation and what no message says", "[link]") {
    for (const auto& row : tunnel_vectors) {
        const Buffer whole = octets_of(row.payload);
        for (std::size_t size = 0; size < whole.size(); ++size) {
            // Octets of data may be fewer, but never none.
            const auto cut = decode_tunnel(Bytes{whole}.first(size));
            const bool shorter = std::holds_alternative<TunnelData>(row.message) && size > 7;
            CHECK(cut.has_value() == shorter);
        }
    }
    struct Row {
        const char* why;
        Buffer octets;
        Error error;
    };
    Buffer long_data = octets_of("03000100000000");
    long_data.resize(long_data.size() + tunnel_chunk_max + 1);
    for (const auto& row :
         std::vector<Row>{{"unknown kind", octets_of("06000100000000"), {Fault::bad_tag, 0}},
                          {"unknown reason", octets_of("05000108"), {Fault::bad_value, 3}},
                          {"a limit beyond all tunnels", octets_of("0400010F000000"), {Fault::bad_value, 3}},
                          {"trailing", octets_of("0500010100"), {Fault::trailing, 4}},
                          {"too many octets", long_data, {Fault::too_long, 7}}}) {
        INFO(row.why);
        CHECK(decode_tunnel(row.octets).error() == row.error);
    }
}

TEST_CASE("tunnel: every chunking of the line gives the same messages, and garbage costs only itself",
          "[link]") {
    const auto talk = tunnel_talk();
    Buffer line = octets_of("000A0D");
    for (const auto& message : talk) {
        const auto frame = encode_tunnel_line(message);
        line.insert(line.end(), frame.begin(), frame.end());
    }
    for (std::size_t piece = 1; piece <= line.size(); ++piece) {
        TunnelLineDecoder decoder;
        std::vector<TunnelMessage> messages;
        for (std::size_t at = 0; at < line.size(); at += piece) {
            decoder.feed(Bytes{line}.subspan(at, std::min(piece, line.size() - at)));
            for (auto& message : heard(decoder)) messages.push_back(std::move(message));
        }
        CHECK(messages == talk);
        CHECK(decoder.faults() == 1);
    }
    // Any one octet damaged: at most its own frame and the next are lost, and nothing else comes out.
    for (std::size_t at = 3; at < line.size(); ++at) {
        Buffer damaged = line;
        damaged[at] ^= 0x55U;
        TunnelLineDecoder decoder;
        decoder.feed(damaged);
        const auto messages = heard(decoder);
        INFO("octet " << at);
        CHECK(messages.size() + 2 >= talk.size());
        for (const auto& message : messages)
            CHECK(std::find(talk.begin(), talk.end(), message) != talk.end());
    }
}

TEST_CASE("tunnel: octets arrive whole and in order, and never more are under way than was allowed",
          "[link]") {
    const auto seed = std::random_device{}();
    INFO("seed " << seed);
    std::mt19937 chance{seed};
    TunnelEnd from{1}, to{1};
    from.allow(to.limit());
    Buffer sent, taken;
    std::size_t held = 0;
    while (sent.size() < 300'000 || !from.idle() || held > 0) {
        if (!from.full() && sent.size() < 300'000) {
            Buffer some(chance() % 3'000);
            for (auto& octet : some) octet = static_cast<std::uint8_t>(chance());
            from.push(some);
            sent.insert(sent.end(), some.begin(), some.end());
        }
        while (const auto data = from.take_data()) {
            REQUIRE(to.received(*data));
            taken.insert(taken.end(), data->octets.begin(), data->octets.end());
            held += data->octets.size();
        }
        REQUIRE(held <= tunnel_window);
        const std::size_t on = chance() % (held + 1);
        held -= on;
        if (const auto credit = to.passed_on(on)) from.allow(credit->limit);
    }
    CHECK(taken == sent);
    CHECK(from.octets_sent() == to.octets_received());
}

TEST_CASE("tunnel: a hole, a repetition and more than was allowed are seen", "[link]") {
    TunnelEnd end{1};
    CHECK(end.received({1, 0, Buffer(1'000)}));
    CHECK_FALSE(end.received({1, 0, Buffer(1'000)}));
    CHECK_FALSE(end.received({1, 1'001, Buffer(1)}));
    for (std::uint32_t at = 1'000; at + 1'000 <= tunnel_window; at += 1'000)
        CHECK(end.received({1, at, Buffer(1'000)}));
    CHECK_FALSE(end.received({1, 8'000, Buffer(1'000)}));
    TunnelEnd greedy{2};
    greedy.push(Buffer(100'000));
    greedy.allow(tunnel_octets_max);  // whatever the other end says
    std::size_t under_way = 0;
    while (const auto data = greedy.take_data()) under_way += data->octets.size();
    CHECK(under_way == tunnel_window);
}

}  // namespace wattmesh::link
