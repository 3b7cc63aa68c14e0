#include "headend/monitor/operations.h"

#include "protocol/base/reader.h"
#include "protocol/dlms/data.h"
#include "protocol/dlms/initiate.h"

namespace wattmesh::headend::monitor {
namespace {

constexpr std::size_t operations_max = 512;
constexpr std::uint8_t tag_initiate = 0x01, tag_get = 0xC0, tag_set = 0xC1, tag_action = 0xC3,
                       tag_access = 0xD9;

/// Reads one APDU into a plan; its faults are the reader's.
class Walk {
public:
    explicit Walk(Bytes apdu) : apdu_(apdu), in_(apdu) {}

    Result<RequestPlan> run() {
        const auto tag = in_.u8();
        if (tag == tag_initiate) {
            initiate();
        } else if (tag == tag_get) {
            get(in_.u8());
        } else if (tag == tag_set) {
            set(in_.u8());
        } else if (tag == tag_action) {
            action(in_.u8());
        } else if (tag == tag_access) {
            access();
        } else {
            in_.fail_at(Fault::unsupported, 0);
        }
        in_.expect_end();
        if (in_.error()) return *in_.error();
        return std::move(plan_);
    }

private:
    void initiate() {
        plan_.kind = RequestPlan::Kind::initiate;
        const auto request = dlms::decode_initiate_request(apdu_);
        if (!request) return in_.fail_at(request.error().fault, request.error().offset);
        if (request->dedicated_key) return in_.fail(Fault::refused);
        in_.skip(in_.remaining());
    }

    void get(std::uint8_t choice) {
        plan_.kind = choice == 2 ? RequestPlan::Kind::next_answer : RequestPlan::Kind::request;
        in_.skip(1);
        switch (choice) {
            case 1:
                return attribute(OperationKind::read);
            case 2:
                return in_.skip(4);
            case 3:
                return list([this] { attribute(OperationKind::read); });
            default:
                in_.fail_at(Fault::unsupported, 1);
        }
    }

    void set(std::uint8_t choice) {
        in_.skip(1);
        const auto target = [this] { attribute(OperationKind::write); };
        switch (choice) {
            case 1:
                plan_.kind = RequestPlan::Kind::request;
                target();
                return value();
            case 2:
                target();
                return block(RequestPlan::Kind::first_block);
            case 3:
                return block(RequestPlan::Kind::next_block);
            case 4:
                plan_.kind = RequestPlan::Kind::request;
                list(target);
                return values();
            case 5:
                list(target);
                return block(RequestPlan::Kind::first_block);
            default:
                in_.fail_at(Fault::unsupported, 1);
        }
    }

    void action(std::uint8_t choice) {
        in_.skip(1);
        const auto target = [this] { descriptor(OperationKind::execute); };
        switch (choice) {
            case 1:
                plan_.kind = RequestPlan::Kind::request;
                target();
                if (flag()) value();
                return;
            case 2:
                plan_.kind = RequestPlan::Kind::next_answer;
                return in_.skip(4);
            case 3:
                plan_.kind = RequestPlan::Kind::request;
                list(target);
                return values();
            case 4:
                target();
                return block(RequestPlan::Kind::first_block);
            case 5:
                list(target);
                return block(RequestPlan::Kind::first_block);
            case 6:
                return block(RequestPlan::Kind::next_block);
            default:
                in_.fail_at(Fault::unsupported, 1);
        }
    }

    /// access-request: long-invoke-id, date-time, specifications, data.
    void access() {
        plan_.kind = RequestPlan::Kind::request;
        in_.skip(4);
        in_.skip(dlms::decode_length(in_));
        list([this] {
            switch (in_.u8()) {
                case 1:
                    return descriptor(OperationKind::read);
                case 2:
                    return descriptor(OperationKind::write);
                case 3:
                    return descriptor(OperationKind::execute);
                case 4:
                    descriptor(OperationKind::read);
                    return selector();
                case 5:
                    descriptor(OperationKind::write);
                    return selector();
                default:
                    in_.fail(Fault::bad_tag);
            }
        });
        values();
    }

    bool flag() {
        const auto octet = in_.u8();
        if (octet > 1) in_.fail_at(Fault::bad_tag, in_.position() - 1);
        return octet == 1;
    }
    void descriptor(OperationKind kind) {
        Operation operation{
            .kind = kind, .class_id = in_.u16(), .object = {in_.array<6>()}, .member = in_.i8()};
        if (in_.ok()) plan_.operations.push_back(operation);
    }
    void attribute(OperationKind kind) {
        descriptor(kind);
        if (flag()) selector();
    }
    void selector() {
        in_.skip(1);
        static_cast<void>(dlms::decode_data(in_));
    }
    template <class Item>
    void list(Item item) {
        const auto count = dlms::decode_length(in_);
        if (count == 0 || count > operations_max) in_.fail(Fault::too_long);
        for (std::size_t i = 0; i < count && in_.ok(); ++i) item();
    }
    void value() {
        const auto start = in_.position();
        static_cast<void>(dlms::decode_data(in_));
        if (in_.ok()) plan_.values.push_back(apdu_.subspan(start, in_.position() - start));
    }
    /// As many as there are operations: none without a value, null-data stands for it.
    void values() {
        if (dlms::decode_length(in_) != plan_.operations.size()) in_.fail(Fault::too_long);
        for (std::size_t i = 0; i < plan_.operations.size() && in_.ok(); ++i) value();
    }
    void block(RequestPlan::Kind kind) {
        plan_.kind = kind;
        plan_.last = flag();
        in_.skip(4);
        plan_.values.push_back(in_.bytes(dlms::decode_length(in_)));
    }

    Bytes apdu_;
    Reader in_;
    RequestPlan plan_;
};

}  // namespace

std::string to_string(const Operation& operation) {
    const char* const verb = operation.kind == OperationKind::read    ? "read "
                             : operation.kind == OperationKind::write ? "write "
                                                                      : "execute ";
    return verb + std::to_string(operation.class_id) + "/" + to_string(operation.object) + "/" +
           std::to_string(operation.member);
}

Result<RequestPlan> request_plan(Bytes apdu) { return Walk{apdu}.run(); }

}  // namespace wattmesh::headend::monitor
