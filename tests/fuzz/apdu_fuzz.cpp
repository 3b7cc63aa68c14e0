#include <cassert>

#include "protocol/dlms/access.h"
#include "protocol/dlms/apdu.h"
#include "protocol/dlms/date_time.h"
#include "protocol/dlms/profile_select.h"

namespace {

using namespace wattmesh;
using namespace wattmesh::dlms;

/// Encodings are compared: NaN in a value is not equal to itself.
template <class T>
void check(const T& message) {
    const Buffer encoded = encode(message);
    if constexpr (std::is_constructible_v<Request, T>) {
        const auto again = decode_request(encoded);
        assert(again && encode(std::get<T>(*again)) == encoded);
    } else {
        const auto again = decode_response(encoded);
        assert(again && encode(std::get<T>(*again)) == encoded);
    }
}

/// Whatever is selected, a profile answers with no more rows and columns than it has.
void select(const Selection& selection) {
    const std::vector<CaptureObject> columns{{8, obis::clock, 2, 0}, {3, obis::active_import_total, 2, 0}};
    const auto row = [](std::int64_t hour) {
        return structure({date_time_octets({from_epoch_us(hour * 3'600'000'000), 0, 0}), hour});
    };
    const std::vector<Data> rows{row(418'000), row(418'001), row(418'002)};
    const ReadOutcome outcome = select_rows(rows, columns, selection);
    const auto* data = std::get_if<Data>(&outcome);
    if (!data) return;
    assert(data->elements()->size() <= rows.size());
    for (const Data& selected : *data->elements()) assert(selected.elements()->size() <= columns.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes bytes{data, size};
    if (const auto request = decode_request(bytes)) {
        std::visit([](const auto& message) { check(message); }, *request);
        if (const auto* get = std::get_if<GetRequest>(&*request)) select(get->selection);
    }
    if (const auto response = decode_response(bytes))
        std::visit([](const auto& message) { check(message); }, *response);
    if (const auto notification = decode_data_notification(bytes)) {
        const Buffer encoded = encode(*notification);
        const auto again = decode_data_notification(encoded);
        assert(again && encode(*again) == encoded);
    }
    if (const auto tagged = decode_data_notification(bytes, {.tagged_date_time = true}))
        assert(*decode_data_notification(encode(*tagged)) == *tagged);
    if (const auto exception = decode_exception(bytes))
        assert(*decode_exception(encode(*exception)) == *exception);
    if (const auto event = decode_event_notification(bytes)) static_cast<void>(encode(*event));
    if (const auto request = decode_access_request(bytes)) {
        const auto again = decode_access_request(encode(*request));
        assert(again && encode(*again) == encode(*request));
    }
    if (const auto response = decode_access_response(bytes)) {
        const auto again = decode_access_response(encode(*response));
        assert(again && encode(*again) == encode(*response));
    }
    return 0;
}
