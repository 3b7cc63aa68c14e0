#pragma once
#include "headend/roles.h"

namespace wattmesh::headend {

/// Sells prepaid energy: the vending module, its own interface, and the upkeep behind it. Needs the database,
/// and no other role.
class VendingRole : public Poco::Util::Subsystem {
public:
    explicit VendingRole(Plant& plant);
    ~VendingRole() override;
    const char* name() const override { return "vending"; }
    /// From any thread, while the loop still runs.
    void stop();

protected:
    void initialize(Poco::Util::Application& application) override;
    void uninitialize() override;

private:
    void keep();
    struct Parts;
    Plant& plant_;
    std::unique_ptr<Parts> parts_;
};

}  // namespace wattmesh::headend
