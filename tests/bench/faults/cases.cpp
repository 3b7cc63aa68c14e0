#include "tests/bench/faults/fault_case.h"

namespace wattmesh::bench {

const std::vector<FaultCase>& fault_cases() {
    static const std::vector<FaultCase> cases{
        {"A1", "the bridge between two suburbs dies", false, bridge_dies},
        {"A2", "a fifth of all meters dies at once", false, fifth_dies},
        {"A3", "all meters next to the root on one side die", false, root_neighbourhood_dies},
        {"A4", "jammers", false, jammed},
        {"A5", "two deaf groups have something to say at once", false, hidden_terminals},
        {"A6", "120 meters in one cabinet power on at once", false, dense_cabinet},
        {"A7", "two concentrators in one town", false, two_roots},
        {"A8", "the concentrator loses its memory, or gets an old one back", false, root_restored},
        {"A9", "two meters of one number", false, duplicated_number},
        {"A10", "replays and forgeries on the air and in the decoders", false, replays_and_forgeries},
        {"A11", "an insider lies about its rank and drops", false, sinkhole},
        {"A12", "a fifth of all meters is hard to hear", false, one_way_links},
        {"A13", "seven days of drift, lorries and evening noise", true, a_week},
        {"A14", "neighbour tables that are full", false, full_tables},
        {"A14L", "the same with 2000 meters", true, full_tables_large},
        {"A15", "counters, sequences, clocks and addresses at their ends", false, edges_of_counters},
        {"A16", "broken frames whose checksum is right", false, broken_frames},
        {"A17", "10 and 50 kbit/s in one town", false, mixed_rates},
        {"A18", "a firmware image during the daily read", false, firmware_broadcast},
        {"R14", "thirty days: ghosts, replays, loops, deletions", true, a_month}};
    return cases;
}

std::vector<Verdict> mixed_rates(std::uint64_t) {
    Verdict verdict;
    return {
        verdict.must(false, "not run: a field of the simulator has one rate, and so has the product's mesh")};
}

}  // namespace wattmesh::bench
