#pragma once
#include <string>
#include <vector>

#include "headend/database/audit_log.h"
#include "headend/database/cim_dialects.h"
#include "headend/database/cim_messages.h"
#include "headend/exchange/cim_answer.h"
#include "headend/exchange/rest_desk.h"

/// EndDeviceControls: what partners order, one device or a list of debtors, each line for itself.
namespace wattmesh::headend::exchange {

struct CimControlLine {
    std::string name;    ///< the partner's, of the control
    std::string device;  ///< number of a meter, or of a usage point
    bool usage_point = false;
    std::string code, reason;
};
/// Throws CimProblem.
std::vector<CimControlLine> read_end_device_controls(const CimMessage& message);

/// What becomes of the lines at once, and the jobs of those that are taken.
struct CimOrdered {
    std::vector<database::CimLine> lines;
    std::vector<database::JobId> jobs;
    std::vector<database::AuditRecord> records;  ///< to be appended last in the transaction
    bool proposed = false;                       ///< some wait for a second person at the utility
};
/// In the caller's transaction on a connection of `desk.tables`.
CimOrdered order_controls(database::Connection& connection, RestDesk& desk, const RestCall& call,
                          const std::vector<CimControlLine>& lines, const CimHeader& header);

/// Reply code and plain words of what became of a line.
struct CimOutcome {
    std::string code, words;
    bool good = false;
};
CimOutcome outcome_of(const database::CimLine& line);
/// EndDeviceEvents: one for each line.
std::string write_outcomes(RestDesk& desk, const database::Contract& contract,
                           const std::vector<database::CimLine>& lines);

}  // namespace wattmesh::headend::exchange
