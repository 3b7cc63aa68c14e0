#include "protocol/cosem/network_setup.h"
#include "protocol/cosem/port_setup.h"
#include "terminal-sim/meter/meter.h"

/// How the meter is reached. What is written is kept and shown; links of a simulated meter stay as they are.
namespace wattmesh::sim {

using namespace dlms;

namespace {

Buffer text(std::string_view word) { return to_buffer(as_bytes(word)); }

ReadOutcome read_local_port(const Meter&, const SimObject::Read& what) {
    using namespace cosem::local_port_setup;
    switch (what.attribute) {
        case 2:
            return default_mode.write(Mode::iec_62056_21);
        case 3:
            return default_baud.write(cosem::Baud::baud_300);
        case 4:
            return prop_baud.write(cosem::Baud::baud_9600);
        case 5:
            return response_time.write(ResponseTime::ms_200);
        default:
            return device_addr.write({});  // and no passwords to show
    }
}

ReadOutcome read_hdlc(const Meter&, const SimObject::Read& what) {
    using namespace cosem::hdlc_setup;
    switch (what.attribute) {
        case 2:
            return comm_speed.write(cosem::Baud::baud_9600);
        case 3:
        case 4:
            return window_size_transmit.write(1);
        case 5:
        case 6:
            return max_info_field_length_transmit.write(128);
        case 7:
            return inter_octet_time_out.write(25);
        case 8:
            return inactivity_time_out.write(120);
        default:
            return device_address.write(16);
    }
}

ReadOutcome read_tcp(const Meter&, const SimObject::Read& what) {
    using namespace cosem::tcp_udp_setup;
    switch (what.attribute) {
        case 2:
            return tcp_udp_port.write(4059);
        case 3:
            return ip_reference.write(object_name(0, 0, 25, 1, 0));
        case 4:
            return mss.write(576);
        case 5:
            return nb_of_sim_conn.write(1);
        default:
            return inactivity_time_out.write(180);
    }
}

ReadOutcome read_ipv4(const Meter&, const SimObject::Read& what) {
    using namespace cosem::ipv4_setup;
    switch (what.attribute) {
        case 2:
            return dl_reference.write(object_name(0, 0, 25, 4, 0));
        case 3:
            return ip_address.write(0x7F00'0001);
        case 4:
            return multicast_ip_address.write({});
        case 5:
            return ip_options.write({});
        case 6:
            return subnet_mask.write(0xFF00'0000);
        case 8:
            return use_dhcp_flag.write(true);
        default:
            return gateway_ip_address.write(0);
    }
}

ReadOutcome read_gprs(const Meter&, const SimObject::Read& what) {
    using namespace cosem::gprs_modem_setup;
    if (what.attribute == 2) return apn.write(text("meters.example"));
    if (what.attribute == 3) return pin_code.write(0);
    return quality_of_service.write({});
}

ReadOutcome read_gsm(const Meter& meter, const SimObject::Read& what) {
    using namespace cosem::gsm_diagnostic;
    switch (what.attribute) {
        case 2:
            return operator_.write("Simulated");
        case 3:
            return status.write(Status::registered_home);
        case 4:
            return cs_attachment.write(CsAttachment::inactive);
        case 5:
            return ps_status.write(PsStatus::lte);
        case 6:
            return cell_info.write({4711, 1, 20, 0, 262, 1, 1300});
        case 7:
            return adjacent_cells.write({});
        default:
            return capture_time.write({encode_date_time({.at = meter.shown_time(what.now)})});
    }
}

ReadOutcome read_auto_answer(const Meter&, const SimObject::Read& what) {
    using namespace cosem::auto_answer;
    switch (what.attribute) {
        case 2:
            return mode.write(Mode{1});
        case 3:
            return listening_window.write({});
        case 4:
            return status.write(Status::active);
        case 5:
            return number_of_calls.write(0);
        case 6:
            return number_of_rings.write({1, 2});
        default:
            return list_of_allowed_callers.write({});
    }
}

ReadOutcome read_auto_connect(const Meter&, const SimObject::Read& what) {
    using namespace cosem::auto_connect;
    switch (what.attribute) {
        case 2:
            return mode.write(Mode{101});
        case 3:
            return repetitions.write(3);
        case 4:
            return repetition_delay.write(60);
        case 5:
            return calling_window.write({});
        default:
            return destination_list.write({});
    }
}

void add(SimObjects& objects, const cosem::ClassSpec& spec, ObisCode name, decltype(SimObject::read) read,
         Members writable, Members hidden = {}) {
    objects.push_back({.spec = &spec,
                       .name = name,
                       .audience = for_management,
                       .read = read,
                       .writable = writable,
                       .hidden = hidden});
}

}  // namespace

void ObjectMaker::ports(SimObjects& objects, const TableKey& key) {
    using namespace cosem;
    add(objects, local_port_setup::spec, object_name(0, 0, 20, 0, 0), read_local_port, {4, 6}, {7, 8, 9});
    add(objects, hdlc_setup::spec, object_name(0, 0, 22, 0, 0), read_hdlc, {2, 7, 8});
    if (key.over_radio) return;
    add(objects, tcp_udp_setup::spec, object_name(0, 0, 25, 0, 0), read_tcp, {2, 6});
    add(objects, ipv4_setup::spec, object_name(0, 0, 25, 1, 0), read_ipv4, {3, 6, 7, 8, 9, 10});
    add(objects, gprs_modem_setup::spec, object_name(0, 0, 25, 4, 0), read_gprs, {2, 3, 4});
    add(objects, gsm_diagnostic::spec_1, object_name(0, 0, 25, 6, 0), read_gsm, {});
    add(objects, auto_answer::spec_2, object_name(0, 0, 2, 2, 0), read_auto_answer, {2, 3, 5, 6, 7});
    add(objects, auto_connect::spec_1, object_name(0, 0, 2, 1, 0), read_auto_connect, {2, 3, 4, 5, 6});
}

}  // namespace wattmesh::sim
