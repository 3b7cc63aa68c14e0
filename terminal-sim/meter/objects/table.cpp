#include <algorithm>
#include <cassert>
#include <map>
#include <memory>
#include <mutex>

#include "protocol/cosem/measurement.h"
#include "protocol/cosem/models/models.h"
#include "terminal-sim/meter/objects/object.h"

namespace wattmesh::sim {

namespace {

/// As the model names it; what the model does not have is left out.
void rename(SimObjects& objects, const cosem::MeterModel& model) {
    const auto& generic = cosem::models::generic;
    std::erase_if(objects, [&](SimObject& object) {
        const auto* known = generic.find(object.name);
        if (known == nullptr) return false;
        const auto* wanted = model.find(known->quantity);
        if (wanted != nullptr) object.name = wanted->name;
        return wanted == nullptr;
    });
}

SimObjects make(const TableKey& key) {
    SimObjects objects;
    ObjectMaker::identity(objects);
    ObjectMaker::clock(objects);
    ObjectMaker::energy(objects, key);
    ObjectMaker::electrical(objects, key);
    ObjectMaker::demand(objects);
    ObjectMaker::profiles(objects);
    if (key.breaker) {
        ObjectMaker::supply(objects);
        ObjectMaker::arbitrator(objects);
    }
    ObjectMaker::calendar(objects);
    ObjectMaker::schedule(objects);
    ObjectMaker::image(objects);
    ObjectMaker::security(objects, key);
    ObjectMaker::push(objects);
    ObjectMaker::ports(objects, key);
    ObjectMaker::mbus(objects);
    if (key.breaker) key.prepaid ? ObjectMaker::prepayment(objects, key) : ObjectMaker::payment(objects);
    if (key.model != &cosem::models::generic) rename(objects, *key.model);
    std::stable_sort(objects.begin(), objects.end(),
                     [](const SimObject& a, const SimObject& b) { return a.name < b.name; });
    const auto same =
        std::adjacent_find(objects.begin(), objects.end(),
                           [](const SimObject& a, const SimObject& b) { return a.name == b.name; });
    assert(same == objects.end() && "two objects of one name");
    return objects;
}

}  // namespace

const SimObjects& objects_of(const TableKey& key) {
    static std::mutex mutex;
    static std::map<TableKey, std::unique_ptr<const SimObjects>> tables;
    const std::lock_guard lock{mutex};
    auto& table = tables[key];
    if (!table) table = std::make_unique<const SimObjects>(make(key));
    return *table;
}

}  // namespace wattmesh::sim
