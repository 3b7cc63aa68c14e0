#include "headend/database/meter_certificates.h"

#include "headend/database/bindings.h"

namespace wattmesh::headend::database {
namespace {

constexpr const char* certificate_columns =
    "select m.number, c.use, c.suite, c.issuer, c.serial, c.not_before_us, c.not_after_us, c.der::text "
    "from meter_certificate c join meter m on m.id = c.meter ";

StoredCertificate certificate_of(const soci::row& row) {
    return {.meter = row.get<DeviceNumber>(0),
            .use = row.get<std::string>(1) == "signature" ? security::CertificateUse::signature
                                                          : security::CertificateUse::agreement,
            .suite = row.get<int>(2),
            .issuer = row.get<std::string>(3),
            .serial = row.get<std::string>(4),
            .not_before = row.get<Instant>(5),
            .not_after = row.get<Instant>(6),
            .der = from_bytea(row.get<std::string>(7))};
}

}  // namespace

bool MeterCertificates::put(MeterId meter, const security::DlmsCertificate& certificate, Instant now) {
    return connection_.run("storing a meter's certificate", [&](soci::session& sql) {
        const std::string name{to_string(certificate.use)};
        const int suite = certificate.suite();
        const auto der = bytea(certificate.der);
        soci::statement st =
            (sql.prepare
                 << "insert into meter_certificate (meter, use, suite, issuer, serial, not_before_us, "
                    "not_after_us, der, added_us) values (:meter, :use, :suite, :issuer, :serial, :before, "
                    ":after, :der, :now) on conflict (issuer, serial) do nothing",
             use(meter), use(name), use(suite), use(certificate.issuer), use(certificate.serial),
             use(certificate.not_before), use(certificate.not_after), use(der), use(now));
        st.execute(true);
        return st.get_affected_rows() == 1;
    });
}

std::optional<StoredCertificate> MeterCertificates::current(MeterId meter, security::CertificateUse wanted,
                                                            int suite, Instant now) {
    return connection_.run(
        "finding a meter's certificate", [&](soci::session& sql) -> std::optional<StoredCertificate> {
            const std::string name{to_string(wanted)};
            const soci::rowset<soci::row> rows =
                (sql.prepare << std::string{certificate_columns} +
                                    "where c.meter = :meter and c.use = :use and c.suite = :suite and "
                                    "c.not_before_us <= :now and c.not_after_us > :now2 "
                                    "order by c.added_us desc, c.id desc limit 1",
                 use(meter), use(name), use(suite), use(now), use(now));
            for (const auto& row : rows) return certificate_of(row);
            return std::nullopt;
        });
}

std::vector<StoredCertificate> MeterCertificates::all() {
    return connection_.run("listing meters' certificates", [&](soci::session& sql) {
        std::vector<StoredCertificate> found;
        const soci::rowset<soci::row> rows =
            (sql.prepare << std::string{certificate_columns} +
                                "order by m.number, c.use, c.suite, c.added_us, c.id");
        for (const auto& row : rows) found.push_back(certificate_of(row));
        return found;
    });
}

}  // namespace wattmesh::headend::database
