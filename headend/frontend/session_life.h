#pragma once
#include <boost/mpl/list.hpp>
#include <boost/statechart/custom_reaction.hpp>
#include <boost/statechart/event.hpp>
#include <boost/statechart/state.hpp>
#include <boost/statechart/state_machine.hpp>
#include <boost/statechart/transition.hpp>
#include <string>

#include "headend/frontend/link_id.h"

namespace wattmesh::headend::frontend {

enum class Phase : std::uint8_t { accepted, identified, ready, quarantined, closing };
std::string_view to_string(Phase phase);

namespace life {

namespace sc = boost::statechart;
namespace mpl = boost::mpl;

/// A hello arrived whose number is the certificate's.
struct LoggedIn : sc::event<LoggedIn> {};
/// The store knows the concentrator; this session is its newest.
struct Admitted : sc::event<Admitted> {
    explicit Admitted(OwnerEpoch newest) : epoch(newest) {}
    OwnerEpoch epoch;
};
/// The store does not know the number.
struct NotRegistered : sc::event<NotRegistered> {};
/// Anything that ends the session; the text is for the operator.
struct Ended : sc::event<Ended> {
    explicit Ended(std::string why) : reason(std::move(why)) {}
    std::string reason;
};

/// What the transitions do; Session does it.
class Actions {
public:
    virtual ~Actions() = default;
    virtual void ask_standing() = 0;
    virtual void start_work(OwnerEpoch epoch) = 0;
    virtual void stop(const std::string& reason) = 0;
};

struct Accepted;
struct Identified;
struct Ready;
struct Quarantined;
struct Closing;

/// Life of one link:
///
///   Accepted --LoggedIn/ask_standing--> Identified --Admitted/start_work--> Ready
///                                       Identified --NotRegistered--> Quarantined --Admitted/start_work-->
///                                       Ready
///   any --Ended/stop--> Closing
struct Life : sc::state_machine<Life, Accepted> {
    explicit Life(Actions& session_actions) : actions(session_actions) {}
    void ask(const LoggedIn&) { actions.ask_standing(); }
    void work(const Admitted& admitted) { actions.start_work(admitted.epoch); }
    void stop(const Ended& ended) { actions.stop(ended.reason); }
    void unconsumed_event(const sc::event_base&) { ++unexpected; }

    Actions& actions;
    Phase phase = Phase::accepted;
    std::uint64_t unexpected = 0;
};

using EndReaction = sc::transition<Ended, Closing, Life, &Life::stop>;

struct Accepted : sc::state<Accepted, Life> {
    explicit Accepted(my_context context) : my_base(context) { outermost_context().phase = Phase::accepted; }
    using reactions = mpl::list<sc::transition<LoggedIn, Identified, Life, &Life::ask>, EndReaction>;
};
struct Identified : sc::state<Identified, Life> {
    explicit Identified(my_context context) : my_base(context) {
        outermost_context().phase = Phase::identified;
    }
    using reactions = mpl::list<sc::transition<Admitted, Ready, Life, &Life::work>,
                                sc::transition<NotRegistered, Quarantined>, EndReaction>;
};
struct Ready : sc::state<Ready, Life> {
    explicit Ready(my_context context) : my_base(context) { outermost_context().phase = Phase::ready; }
    using reactions = mpl::list<EndReaction>;
};
struct Quarantined : sc::state<Quarantined, Life> {
    explicit Quarantined(my_context context) : my_base(context) {
        outermost_context().phase = Phase::quarantined;
    }
    sc::result react(const NotRegistered&) { return discard_event(); }  // asked again, still not
    using reactions = mpl::list<sc::transition<Admitted, Ready, Life, &Life::work>,
                                sc::custom_reaction<NotRegistered>, EndReaction>;
};
struct Closing : sc::state<Closing, Life> {
    explicit Closing(my_context context) : my_base(context) { outermost_context().phase = Phase::closing; }
};

}  // namespace life
}  // namespace wattmesh::headend::frontend
