#include "protocol/gdw376/query.h"

#include <algorithm>
#include <cassert>

#include "protocol/gdw376/exchange.h"
#include "protocol/gdw376/measurement.h"

namespace wattmesh::gdw376 {

namespace {

bool shares_unit(const Query& a, const Query& b) {
    return a.item == b.item && a.point != 0 && b.point > a.point && (a.point - 1) / 8 == (b.point - 1) / 8;
}

}  // namespace

Frame ask(const Address& terminal, Afn afn, const std::vector<Query>& queries, std::uint8_t sequence) {
    assert(!queries.empty());
    Writer units;
    for (auto query = queries.begin(); query != queries.end();) {
        UnitHead head{.points = {query->point}, .items = {query->item}};
        auto next = query + 1;
        for (; afn == Afn::class_1 && next != queries.end() && shares_unit(*(next - 1), *next); ++next)
            head.points.push_back(next->point);
        encode(units, head);
        if (afn == Afn::class_2) write_query_time(units, *query);
        query = next;
    }
    Frame frame = request(terminal, afn, UnitHead{.items = {1}}, sequence);
    frame.units = units.take();
    assert(frame.units.size() <= user_size_max - 64);
    return frame;
}

Result<std::vector<Query>> decode_queries(const Frame& frame) {
    if (frame.afn != Afn::class_1 && frame.afn != Afn::class_2) return Error{Fault::unexpected, 0};
    std::vector<Query> out;
    Reader in{frame.units};
    while (in.ok() && in.remaining() > 0) {
        const auto at = in.position();
        const UnitHead head = decode_unit_head(in);
        if (head.all_points) in.fail_at(Fault::unsupported, at);
        for (const auto point : head.points)
            for (const auto item : head.items) {
                if (!in.ok()) break;
                Query query{.point = point, .item = item, .at = {}};
                if (frame.afn == Afn::class_2) read_query_time(in, query);
                out.push_back(query);
            }
    }
    if (in.error()) return *in.error();
    return out;
}

}  // namespace wattmesh::gdw376
