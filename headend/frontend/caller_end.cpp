#include "headend/frontend/caller_end.h"

namespace wattmesh::headend::frontend {

std::string_view to_string(CallerEnd end) {
    switch (end) {
        case CallerEnd::closed_by_peer:
            return "closed_by_peer";
        case CallerEnd::no_identity:
            return "no_identity";
        case CallerEnd::silent:
            return "silent";
        case CallerEnd::unfinished_frame:
            return "unfinished_frame";
        case CallerEnd::malformed:
            return "malformed";
        case CallerEnd::other_identity:
            return "other_identity";
        case CallerEnd::took_over:
            return "took_over";
        case CallerEnd::held:
            return "held";
        case CallerEnd::superseded:
            return "superseded";
        case CallerEnd::revoked:
            return "revoked";
        case CallerEnd::flood:
            return "flood";
        case CallerEnd::ended_here:
            return "ended_here";
        case CallerEnd::logged_out:
            return "logged_out";
    }
    return "?";
}

}  // namespace wattmesh::headend::frontend
