#include "headend/vending/api.h"

namespace wattmesh::headend::vending {
namespace {

using console::Answer;
using console::Json;
using console::JsonBody;
using console::Problem;
using console::Request;
constexpr std::size_t port_word_size = 64;

/// The till of a request to the ports. Throws a Problem where they are not simulated.
std::string port_terminal(Counter& counter, const Request& request, const std::string& name) {
    if (!counter.front.simulated_ports)
        throw Problem{404, "Not found", "No ports are simulated here (vending.simulated_ports)."};
    auto connection = counter.context.pool.lease();
    return till_of(*connection, request, name).name;
}
std::string port_terminal(Counter& counter, const Request& request, const JsonBody& body) {
    return port_terminal(counter, request, body.text("terminal", port_word_size));
}

Answer nothing() { return {.status = 204, .body = {}}; }

Answer payment_state(SimulatedPorts::Payment payment) {
    Json json;
    json.open_object().field("state", std::string{to_string(payment)});
    return {.body = json.close_object().take()};
}

Answer look(Counter& counter, Request& request) {
    const auto terminal = port_terminal(counter, request, request.text("terminal"));
    if (const auto key = request.text("key"); !key.empty())
        return payment_state(counter.ports.payment(terminal, key));
    Json json;
    json.open_object().field("inserted", counter.ports.inserted(terminal).minor);
    return {.body = json.close_object().take()};
}

Answer open_port(Counter& counter, Request& request) {
    const JsonBody body{request.body};
    const auto kind = body.text("kind", port_word_size);
    if (kind != "cash" && kind != "card") throw Problem{400, "Bad request", "'kind' must be cash or card."};
    counter.ports.open(port_terminal(counter, request, body), kind == "card",
                       body.text_or("key", port_word_size, ""), money_of(body, "amount"));
    return nothing();
}

Answer take(Counter& counter, Request& request) {
    const JsonBody body{request.body};
    return payment_state(counter.ports.take(port_terminal(counter, request, body),
                                            body.text("key", port_word_size), money_of(body, "amount")));
}

Answer close_port(Counter& counter, Request& request) {
    counter.ports.close(port_terminal(counter, request, JsonBody{request.body}));
    return nothing();
}

Answer give_back(Counter& counter, Request& request) {
    counter.ports.give_back(port_terminal(counter, request, JsonBody{request.body}));
    return nothing();
}

Answer refund(Counter& counter, Request& request) {
    const JsonBody body{request.body};
    counter.ports.refund(port_terminal(counter, request, body), body.text("key", port_word_size));
    return nothing();
}

/// What a person does in front of the machine.
Answer person(Counter& counter, Request& request) {
    const JsonBody body{request.body};
    const auto terminal = port_terminal(counter, request, body);
    const auto act = body.text("act", port_word_size);
    if (act != "insert" && act != "card" && act != "bad_card")
        throw Problem{400, "Bad request", "'act' must be insert (with amount), card or bad_card."};
    const bool done = act == "insert" ? counter.ports.insert(terminal, money_of(body, "amount"))
                                      : counter.ports.present_card(terminal, act == "card");
    if (!done) throw Problem{409, "Not taken", "The port is closed, or does not take so much."};
    return nothing();
}

}  // namespace

void add_port_routes(std::vector<console::Route>& routes, Counter& counter) {
    using database::Right;
    add_route(routes, counter, "GET", "/api/vend/ports", Right::vend, look);
    add_route(routes, counter, "POST", "/api/vend/ports/open", Right::vend, open_port);
    add_route(routes, counter, "POST", "/api/vend/ports/close", Right::vend, close_port);
    add_route(routes, counter, "POST", "/api/vend/ports/take", Right::vend, take);
    add_route(routes, counter, "POST", "/api/vend/ports/back", Right::vend, give_back);
    add_route(routes, counter, "POST", "/api/vend/ports/refund", Right::vend, refund);
    add_route(routes, counter, "POST", "/api/vend/ports/person", Right::vend, person);
}

}  // namespace wattmesh::headend::vending
