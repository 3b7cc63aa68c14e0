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

/// Money between a vendor's bank and the utility's.
struct BankMove {
    pricing::Money amount;  ///< above zero
    std::string reference;  ///< the bank's: it is taken once
    std::string by, reason;
    Instant at{};
};
/// Raises a vendor's credit by what he paid in. Throws BooksError when there is no such vendor, or the
/// reference was taken before.
void deposit(database::Connection& connection, const std::string& vendor, const BankMove& move);
/// Gives a vendor of his credit back, at most what is above zero. Throws BooksError as above, and when it is
/// less; the caller's transaction is to be given up then.
void withdraw(database::Connection& connection, const std::string& vendor, const BankMove& move);

}  // namespace wattmesh::headend::vending
