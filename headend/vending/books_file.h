#pragma once
#include <istream>
#include <stdexcept>

#include "headend/database/vendors.h"

namespace wattmesh::headend::vending {

/// Names the line and what is wrong with it.
struct BooksError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// Tariffs, vendors, terminals, operators, customers, debts and meters from JSON Lines (`headend vend --help`
/// has the members). All of it or, in the caller's transaction, nothing: throws BooksError. How many lines.
int take_books(database::Connection& connection, std::istream& in, Instant now);

/// Raises a vendor's credit by what he paid in, once for a reference (the bank's). Throws BooksError when
/// there is no such vendor, or the reference was taken before.
void deposit(database::Connection& connection, const std::string& vendor, pricing::Money amount,
             const std::string& reference, const std::string& by, const std::string& reason, Instant now);

}  // namespace wattmesh::headend::vending
