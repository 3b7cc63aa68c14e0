#pragma once
#include "headend/monitor/prepayment_charge.h"

namespace wattmesh::headend::monitor {

struct PrepaymentSettings {
    int at_once = 200;             ///< accounts charged and decided in one round
    int second_person_above = 10;  ///< cuts within a day; what goes beyond waits for another person
    Duration look_every = std::chrono::minutes{1};  ///< at each account
    Duration soon = std::chrono::seconds{2};        ///< at a job
    Duration again = std::chrono::minutes{10};      ///< after a job that failed to cut
    Duration reconnects_within = std::chrono::hours{24};
};

struct PrepaymentRound {
    int charged = 0, notices = 0, cuts = 0, reconnects = 0;
};

/// Charges what is due, gives notices, and orders what has to be switched through the command gate, whose
/// checks all stay. Accounts are done one by one, each in a transaction of its own; what is to be cut off is
/// one order, decided once more in the transaction that stores it. Several processes may do it at once.
PrepaymentRound prepayment_round(database::Connection& connection, const PrepaymentSettings& settings,
                                 Instant now, const PrepaymentReached& reached = {});

/// For the command gate at the moment of firing: why an order of prepayment is not carried out any more, a
/// stable word; nothing when it is, or when the order is somebody else's.
std::optional<std::string> prepayment_objection(database::Connection& connection, const database::Job& job,
                                                DeviceNumber meter, Instant now);

}  // namespace wattmesh::headend::monitor
