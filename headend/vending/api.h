#pragma once
#include <atomic>

#include "headend/console/api.h"
#include "headend/console/json.h"
#include "headend/console/json_body.h"
#include "headend/vending/seller.h"
#include "headend/vending/shopfront.h"
#include "headend/vending/simulated_ports.h"

namespace wattmesh::headend::vending {

/// What the handlers share.
struct Counter {
    console::Context& context;
    Seller& seller;
    security::VendingModule& module;
    const std::atomic<bool>& ready;
    const Shopfront& front;
    SimulatedPorts& ports;
};

using Handle = console::Answer (*)(Counter&, console::Request&);
void add_route(std::vector<console::Route>& routes, Counter& counter, const char* method, const char* pattern,
               database::Right right, Handle handle);

/// Each adds its routes; all are described in openapi.yaml of this folder.
void add_sale_routes(std::vector<console::Route>& routes, Counter& counter);
void add_port_routes(std::vector<console::Route>& routes, Counter& counter);
void add_report_routes(std::vector<console::Route>& routes, Counter& counter);
void add_adjustment_routes(std::vector<console::Route>& routes, Counter& counter);
void add_desk_routes(std::vector<console::Route>& routes, Counter& counter);
void add_meter_routes(std::vector<console::Route>& routes, Counter& counter);

/// As a problem with the reason.
[[noreturn]] void refuse(const Objection& objection);
/// The till that the request names, when the caller may use it. Throws a Problem.
database::VendTerminal till_of(database::Connection& connection, const console::Request& request,
                               const std::string& name);
/// Of the address, when the caller may see it: his vendor sold it, or he is a supervisor. Throws a Problem.
database::Sale wanted_sale(database::Connection& connection, const console::Request& request);
/// Digits go out that a customer has already: counts and journals a copy, and says which one it is. Nothing
/// while nobody has them yet.
std::optional<int> counted(Counter& counter, database::Connection& connection,
                           const console::Request& request, const database::Sale& sale);
/// A name or an address of a customer: masked for who may not manage.
std::string shown(const console::Request& request, const std::string& text);
/// From text that a person typed. Throws a Problem that says what is wrong with it.
sts::MeterPan pan_of(const std::string& text);
/// "12.3" as 123 tenths. Throws a Problem.
pricing::Tenths units_of(const std::string& text);
/// An amount member in the smallest coin. Throws a Problem.
/// The most that a request may ask for or a port may let in, in minor units.
inline constexpr std::int64_t amount_max = 2'000'000'000;
pricing::Money money_of(const console::JsonBody& body, const char* name);
/// The client's own name for what it orders, from the header Idempotency-Key. Throws a Problem.
const std::string& key_of_order(const console::Request& request);
/// Kind, till, key and digest of an order; the rest is the handler's.
Order order_of(database::Connection& connection, const console::Request& request,
               const console::JsonBody& body, const sts::MeterPan& meter, database::SaleKind kind);
/// Sells it, when this process may sell yet.
console::Answer sell(Counter& counter, database::Connection& connection, const Order& order);

}  // namespace wattmesh::headend::vending
