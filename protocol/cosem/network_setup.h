#pragma once
#include "protocol/cosem/parts.h"

/// Auto answer (28), Auto connect (29), TCP-UDP setup (41), IPv4 setup (42), GPRS modem setup (45) and GSM
/// diagnostic (47). Source: Blue Book ed. 14, 4.7.5, 4.7.6, 4.9.1, 4.9.2, 4.7.7 and 4.7.8.
namespace wattmesh::cosem {

namespace auto_answer {
struct Rings {
    std::uint8_t nr_rings_in_window = 0, nr_rings_out_of_window = 0;
    friend bool operator==(const Rings&, const Rings&) = default;
    static constexpr auto members() {
        return std::tuple{&Rings::nr_rings_in_window, &Rings::nr_rings_out_of_window};
    }
};
enum class Status : std::uint8_t { inactive = 0, active = 1, locked = 2 };
constexpr Status last_of(Status) { return Status::locked; }
enum class CallType : std::uint8_t { normal_csd = 0, wake_up = 1 };
constexpr CallType last_of(CallType) { return CallType::wake_up; }
struct Caller {
    Buffer caller_id;
    CallType call_type{};
    friend bool operator==(const Caller&, const Caller&) = default;
    static constexpr auto members() { return std::tuple{&Caller::caller_id, &Caller::call_type}; }
};
/// 0 line is shared, 1 modem only, 2 and 3 with a limited number of calls; 200 and above: of the
/// manufacturer.
enum class Mode : std::uint8_t {};

inline constexpr ClassName owner{28, "auto_answer"};
inline constexpr Attribute<Mode> mode{owner, 2, "mode", Change::fixed};
inline constexpr Attribute<std::vector<Window>> listening_window{owner, 3, "listening_window", Change::fixed};
inline constexpr Attribute<Status> status{owner, 4, "status", Change::dynamic};
inline constexpr Attribute<std::uint8_t> number_of_calls{owner, 5, "number_of_calls", Change::fixed};
inline constexpr Attribute<Rings> number_of_rings{owner, 6, "number_of_rings", Change::fixed};
inline constexpr Attribute<std::vector<Caller>> list_of_allowed_callers{owner, 7, "list_of_allowed_callers",
                                                                        Change::fixed};

inline constexpr AttributeSpec attributes[]{
    logical_name, mode, listening_window, status, number_of_calls, number_of_rings, list_of_allowed_callers};
inline constexpr ClassSpec spec_0{owner.id, 0, owner.name, std::span{attributes}.first(6), {}};
inline constexpr ClassSpec spec_2{owner.id, 2, owner.name, attributes, {}};
}  // namespace auto_answer

namespace auto_connect {
/// 0 no auto connect, 1 at any time, 2 within the window, 3 and 4 by command outside and inside of it;
/// 101 to 104 the same always connected; 200 and above: of the manufacturer.
enum class Mode : std::uint8_t {};

inline constexpr ClassName owner{29, "auto_connect"};
inline constexpr Attribute<Mode> mode{owner, 2, "mode", Change::fixed};
inline constexpr Attribute<std::uint8_t> repetitions{owner, 3, "repetitions", Change::fixed};
/// Seconds.
inline constexpr Attribute<std::uint16_t> repetition_delay{owner, 4, "repetition_delay", Change::fixed};
inline constexpr Attribute<std::vector<Window>> calling_window{owner, 5, "calling_window", Change::fixed};
inline constexpr Attribute<std::vector<Buffer>> destination_list{owner, 6, "destination_list", Change::fixed};
/// [M] Of version 2 in the Blue Book; some tools offer it from version 1.
inline constexpr Method<> connect{owner, 1, "connect", Need::optional};

inline constexpr AttributeSpec attributes[]{logical_name,     mode,           repetitions,
                                            repetition_delay, calling_window, destination_list};
inline constexpr MethodSpec methods[]{connect};
inline constexpr ClassSpec spec_1{owner.id, 1, owner.name, attributes, {}};
inline constexpr ClassSpec spec_2{owner.id, 2, owner.name, attributes, methods};
}  // namespace auto_connect

namespace tcp_udp_setup {
inline constexpr ClassName owner{41, "tcp_udp_setup"};
inline constexpr Attribute<std::uint16_t> tcp_udp_port{owner, 2, "tcp_udp_port", Change::fixed};
/// Name of an IPv4 or IPv6 setup object.
inline constexpr Attribute<ObisCode> ip_reference{owner, 3, "ip_reference", Change::fixed};
/// Octets.
inline constexpr Attribute<std::uint16_t> mss{owner, 4, "mss", Change::fixed};
inline constexpr Attribute<std::uint8_t> nb_of_sim_conn{owner, 5, "nb_of_sim_conn", Change::fixed};
/// Seconds; 0: never.
inline constexpr Attribute<std::uint16_t> inactivity_time_out{owner, 6, "inactivity_time_out", Change::fixed};

inline constexpr AttributeSpec attributes[]{logical_name, tcp_udp_port,   ip_reference,
                                            mss,          nb_of_sim_conn, inactivity_time_out};
inline constexpr ClassSpec spec{owner.id, 0, owner.name, attributes, {}};
}  // namespace tcp_udp_setup

namespace ipv4_setup {
struct Option {
    std::uint8_t ip_option_type = 0, ip_option_length = 0;
    Buffer ip_option_data;
    friend bool operator==(const Option&, const Option&) = default;
    static constexpr auto members() {
        return std::tuple{&Option::ip_option_type, &Option::ip_option_length, &Option::ip_option_data};
    }
};
inline constexpr ClassName owner{42, "ipv4_setup"};
/// Name of a data link setup object.
inline constexpr Attribute<ObisCode> dl_reference{owner, 2, "dl_reference", Change::fixed};
/// Addresses: the first octet of the dotted form is the most significant.
inline constexpr Attribute<std::uint32_t> ip_address{owner, 3, "ip_address", Change::fixed};
inline constexpr Attribute<std::vector<std::uint32_t>> multicast_ip_address{owner, 4, "multicast_ip_address",
                                                                            Change::fixed};
inline constexpr Attribute<std::vector<Option>> ip_options{owner, 5, "ip_options", Change::fixed};
inline constexpr Attribute<std::uint32_t> subnet_mask{owner, 6, "subnet_mask", Change::fixed};
inline constexpr Attribute<std::uint32_t> gateway_ip_address{owner, 7, "gateway_ip_address", Change::fixed};
inline constexpr Attribute<bool> use_dhcp_flag{owner, 8, "use_dhcp_flag", Change::fixed};
inline constexpr Attribute<std::uint32_t> primary_dns_address{owner, 9, "primary_dns_address", Change::fixed};
inline constexpr Attribute<std::uint32_t> secondary_dns_address{owner, 10, "secondary_dns_address",
                                                                Change::fixed};
inline constexpr Method<std::uint32_t> add_mc_ip_address{owner, 1, "add_mc_ip_address", Need::optional};
inline constexpr Method<std::uint32_t> delete_mc_ip_address{owner, 2, "delete_mc_ip_address", Need::optional};
inline constexpr Method<> get_nbof_mc_ip_addresses{owner, 3, "get_nbof_mc_ip_addresses", Need::optional};

inline constexpr AttributeSpec attributes[]{
    logical_name, dl_reference,       ip_address,    multicast_ip_address, ip_options,
    subnet_mask,  gateway_ip_address, use_dhcp_flag, primary_dns_address,  secondary_dns_address};
inline constexpr MethodSpec methods[]{add_mc_ip_address, delete_mc_ip_address, get_nbof_mc_ip_addresses};
inline constexpr ClassSpec spec{owner.id, 0, owner.name, attributes, methods};
}  // namespace ipv4_setup

namespace gprs_modem_setup {
struct QosElement {
    std::uint8_t precedence = 0, delay = 0, reliability = 0, peak_throughput = 0, mean_throughput = 0;
    friend bool operator==(const QosElement&, const QosElement&) = default;
    static constexpr auto members() {
        return std::tuple{&QosElement::precedence, &QosElement::delay, &QosElement::reliability,
                          &QosElement::peak_throughput, &QosElement::mean_throughput};
    }
};
struct QualityOfService {
    QosElement default_, requested;
    friend bool operator==(const QualityOfService&, const QualityOfService&) = default;
    static constexpr auto members() {
        return std::tuple{&QualityOfService::default_, &QualityOfService::requested};
    }
};
inline constexpr ClassName owner{45, "gprs_modem_setup"};
inline constexpr Attribute<Buffer> apn{owner, 2, "apn", Change::fixed};
inline constexpr Attribute<std::uint16_t> pin_code{owner, 3, "pin_code", Change::fixed};
inline constexpr Attribute<QualityOfService> quality_of_service{owner, 4, "quality_of_service",
                                                                Change::fixed};

inline constexpr AttributeSpec attributes[]{logical_name, apn, pin_code, quality_of_service};
inline constexpr ClassSpec spec{owner.id, 0, owner.name, attributes, {}};
}  // namespace gprs_modem_setup

namespace gsm_diagnostic {
enum class Status : std::uint8_t {
    not_registered = 0,
    registered_home = 1,
    searching = 2,
    denied = 3,
    unknown = 4,
    registered_roaming = 5,
};
enum class CsAttachment : std::uint8_t { inactive = 0, incoming_call = 1, active = 2 };
enum class PsStatus : std::uint8_t {
    inactive = 0,
    gprs = 1,
    edge = 2,
    umts = 3,
    hsdpa = 4,
    lte = 5,
    cdma = 6
};
/// Version 1; version 0 has a 16-bit cell_id and ends with ber.
struct CellInfo {
    std::uint32_t cell_id = 0;
    std::uint16_t location_id = 0;
    std::uint8_t signal_quality = 99;  ///< 0: -113 dBm or less, 31: -51 dBm or more, 2 dB each; 99 not known
    std::uint8_t ber = 99;             ///< 0 to 7; 99 not known
    std::uint16_t mcc = 0, mnc = 0;
    std::uint32_t channel_number = 0;
    friend bool operator==(const CellInfo&, const CellInfo&) = default;
    static constexpr auto members() {
        return std::tuple{&CellInfo::cell_id,       &CellInfo::location_id, &CellInfo::signal_quality,
                          &CellInfo::ber,           &CellInfo::mcc,         &CellInfo::mnc,
                          &CellInfo::channel_number};
    }
};
struct CellInfo0 {
    std::uint16_t cell_id = 0, location_id = 0;
    std::uint8_t signal_quality = 99, ber = 99;
    friend bool operator==(const CellInfo0&, const CellInfo0&) = default;
    static constexpr auto members() {
        return std::tuple{&CellInfo0::cell_id, &CellInfo0::location_id, &CellInfo0::signal_quality,
                          &CellInfo0::ber};
    }
};
struct AdjacentCell {
    std::uint32_t cell_id = 0;
    std::uint8_t signal_quality = 99;
    friend bool operator==(const AdjacentCell&, const AdjacentCell&) = default;
    static constexpr auto members() {
        return std::tuple{&AdjacentCell::cell_id, &AdjacentCell::signal_quality};
    }
};
struct AdjacentCell0 {
    std::uint16_t cell_id = 0;
    std::uint8_t signal_quality = 99;
    friend bool operator==(const AdjacentCell0&, const AdjacentCell0&) = default;
    static constexpr auto members() {
        return std::tuple{&AdjacentCell0::cell_id, &AdjacentCell0::signal_quality};
    }
};
inline constexpr ClassName owner{47, "gsm_diagnostic"};
inline constexpr Attribute<std::string> operator_{owner, 2, "operator", Change::dynamic};
inline constexpr Attribute<Status> status{owner, 3, "status", Change::dynamic};
inline constexpr Attribute<CsAttachment> cs_attachment{owner, 4, "cs_attachment", Change::dynamic};
inline constexpr Attribute<PsStatus> ps_status{owner, 5, "ps_status", Change::dynamic};
inline constexpr Attribute<CellInfo> cell_info{owner, 6, "cell_info", Change::dynamic};
inline constexpr Attribute<CellInfo0> cell_info_0{owner, 6, "cell_info", Change::dynamic};
inline constexpr Attribute<std::vector<AdjacentCell>> adjacent_cells{owner, 7, "adjacent_cells",
                                                                     Change::dynamic};
inline constexpr Attribute<std::vector<AdjacentCell0>> adjacent_cells_0{owner, 7, "adjacent_cells",
                                                                        Change::dynamic};
inline constexpr Attribute<TaggedDateTime> capture_time{owner, 8, "capture_time", Change::dynamic};

inline constexpr AttributeSpec attributes_0[]{logical_name, operator_,   status,           cs_attachment,
                                              ps_status,    cell_info_0, adjacent_cells_0, capture_time};
inline constexpr AttributeSpec attributes_1[]{logical_name, operator_, status,         cs_attachment,
                                              ps_status,    cell_info, adjacent_cells, capture_time};
inline constexpr ClassSpec spec_0{owner.id, 0, owner.name, attributes_0, {}};
inline constexpr ClassSpec spec_1{owner.id, 1, owner.name, attributes_1, {}};
/// [M] Version 2 differs by values of ps_status (LTE variants) only.
inline constexpr ClassSpec spec_2{owner.id, 2, owner.name, attributes_1, {}};
}  // namespace gsm_diagnostic

}  // namespace wattmesh::cosem
