#pragma once
#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "protocol/base/result.h"
#include "protocol/base/time.h"
#include "protocol/dlms/data.h"

namespace wattmesh::dcu {

/// Reads the elements of one structure in order. Like Reader it keeps its first fault and yields zeros from
/// then on; offsets count elements, the only position a value tree has.
class Fields {
public:
    explicit Fields(const dlms::Data& data) : elements_(structure_of(data)) {
        if (elements_ == nullptr) fail(Fault::bad_tag);
    }

    template <class T>
    T number() {
        const auto* element = next();
        if (element == nullptr) return {};
        const auto value = element->integer();
        if (!value) return fail(Fault::bad_tag), T{};
        if (!std::in_range<T>(*value)) return fail(Fault::bad_value), T{};
        return static_cast<T>(*value);
    }
    /// uint64 does not fit the widened int64: its own accessor.
    std::uint64_t u64() {
        const auto* element = next();
        if (element == nullptr) return 0;
        if (const auto* value = element->as<std::uint64_t>()) return *value;
        fail(Fault::bad_tag);
        return 0;
    }
    template <std::size_t N>
    std::array<std::uint8_t, N> octets() {
        std::array<std::uint8_t, N> out{};
        const auto view = octets(N);
        if (ok() && view.size() != N) fail(Fault::bad_value);
        if (ok()) std::copy(view.begin(), view.end(), out.begin());
        return out;
    }
    /// A view into the tree, at most `size_max` octets.
    Bytes octets(std::size_t size_max) {
        const auto* element = next();
        if (element == nullptr) return {};
        if (element->as<dlms::OctetString>() == nullptr) return fail(Fault::bad_tag), Bytes{};
        const auto view = element->octets();
        if (view.size() > size_max) return fail(Fault::too_long), Bytes{};
        return view;
    }
    /// The elements of an array, at most `count_max`; nullptr after a fault.
    const std::vector<dlms::Data>* array(std::size_t count_max) {
        const auto* element = next();
        if (element == nullptr) return nullptr;
        const auto* array = element->as<dlms::Array>();
        if (array == nullptr) return fail(Fault::bad_tag), nullptr;
        if (array->elements.size() > count_max) return fail(Fault::too_long), nullptr;
        return &array->elements;
    }
    const dlms::Data& any() {
        static const dlms::Data null;
        const auto* element = next();
        return element == nullptr ? null : *element;
    }
    Instant instant() {
        const auto us = number<std::int64_t>();
        return from_epoch_us(us);
    }

    void fail(Fault fault) {
        if (!error_) error_ = Error{fault, at_ == 0 ? 0 : at_ - 1};
    }
    /// There is another element: what later versions added at the end.
    bool more() const { return ok() && at_ < elements_->size(); }
    /// The last element has been read, else the structure has too many.
    bool done() {
        if (!error_ && at_ != elements_->size()) error_ = Error{Fault::trailing, at_};
        return ok();
    }
    bool ok() const { return !error_; }
    Error error() const { return *error_; }

private:
    static const std::vector<dlms::Data>* structure_of(const dlms::Data& data) {
        const auto* structure = data.as<dlms::Structure>();
        return structure == nullptr ? nullptr : &structure->elements;
    }
    const dlms::Data* next() {
        if (error_) return nullptr;
        if (at_ == elements_->size()) {
            error_ = Error{Fault::truncated, at_};
            return nullptr;
        }
        return &(*elements_)[at_++];
    }

    const std::vector<dlms::Data>* elements_;
    std::size_t at_ = 0;
    std::optional<Error> error_;
};

/// Decodes every element of an array with `decode`; the first fault ends it, its offset is the element's
/// index.
template <class T, class Decode>
Result<std::vector<T>> decode_each(const std::vector<dlms::Data>& elements, Decode decode) {
    std::vector<T> values;
    values.reserve(elements.size());
    for (const auto& element : elements) {
        auto value = decode(element);
        if (!value) return Error{value.error().fault, values.size()};
        values.push_back(*std::move(value));
    }
    return values;
}

inline dlms::Data instant_data(Instant at) { return dlms::Data{epoch_us(at)}; }

}  // namespace wattmesh::dcu
