#pragma once
#include "headend/database/ingest_writer.h"
#include "tests/db/fixture/postgres.h"
#include "tests/fleet/head_model.h"
#include "tests/fleet/town.h"

namespace wattmesh::fleet {

/// The real thing: both front-ends' batches through IngestWriter into PostgreSQL.
class PostgresModel final : public HeadModel {
public:
    explicit PostgresModel(const Scene& scene);

    headend::frontend::SessionOpened open_session(DeviceNumber concentrator, Instant now) override;
    Sequence cursor(const JournalId& journal, DeviceNumber concentrator) override;
    headend::frontend::StoreOutcome store(const headend::frontend::Batch& batch) override;
    StoredRows rows() override;
    std::uint64_t conflicts() override;
    std::uint64_t rejected() override;
    dcu::MeterList list(DeviceNumber concentrator) override;

private:
    std::uint64_t count(const std::string& table);

    test::TestDatabase database_;
    headend::database::Connection admin_, frontend_;
    headend::database::IngestWriter writer_;
};

}  // namespace wattmesh::fleet
