#pragma once
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "headend/database/cim_messages.h"
#include "headend/exchange/rest_desk.h"

namespace wattmesh::headend::exchange {

/// Writes the replies that follow later, piece by piece, and takes them to the address that the contract
/// allows: the next piece when the one before was taken. Each is stored before it is sent, and sent until it
/// is taken, for a week. Several processes share the work.
class CimCourier {
public:
    /// `desk` outlives it.
    explicit CimCourier(RestDesk& desk) : desk_(desk) {}
    ~CimCourier() { stop(); }
    CimCourier(const CimCourier&) = delete;
    CimCourier& operator=(const CimCourier&) = delete;

    /// A thread of its own, unless `replies_every` is zero.
    void start();
    /// Waits for a request that is under way.
    void stop();
    /// Does what is to be done now; false when that was nothing. Throws DatabaseError.
    bool round();

private:
    void write_next(const database::CimRequest& request);
    void send(const database::CimReply& reply);
    /// What goes wrong with one message is said and holds up no other; throws when there is no database.
    void guard(const std::string& what, const std::function<void()>& work);
    void run();

    RestDesk& desk_;
    std::mutex mutex_;
    std::condition_variable changed_;
    bool over_ = false;
    std::thread thread_;
};

}  // namespace wattmesh::headend::exchange
