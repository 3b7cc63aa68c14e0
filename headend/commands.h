#pragma once
#include <string>
#include <vector>

namespace wattmesh::headend {

/// A subcommand's words and options as the shell gave them, without the program's and the subcommand's name.
/// Each returns the exit status and throws UsageError, SettingsError or std::runtime_error with words for the
/// user.
using Words = std::vector<std::string>;

int run_serve(const Words& words);         ///< serve: the roles, until a signal
int run_init(const Words& words);          ///< init: keys, certificates, configuration of a new head-end
int run_migrate(const Words& words);       ///< migrate: database roles and schema
int run_import(const Words& words);        ///< import: a manufacturer's shipment file
int run_assets(const Words& words);        ///< assets import FILE: network and customers
int run_enrol(const Words& words);         ///< enrol NUMBER: a one-time code
int run_concentrator(const Words& words);  ///< concentrator revoke NUMBER
int run_ca(const Words& words);            ///< ca ...: certificates of meters and their sub-CA
int run_restored(const Words& words);      ///< restored: the database was put back to an older state
int run_rotate_keys(const Words& words);   ///< rotate-keys METER...: new keys for meters
int run_firmware(const Words& words);      ///< firmware list, trust, upload, order, activate, show
int run_scada(const Words& words);         ///< scada list, import, export, plan: point tables
int run_partner(const Words& words);       ///< partner set, webhook, list, sent, again: contracts
int run_user(const Words& words);          ///< user add, grant, disable, enable
int run_audit(const Words& words);         ///< audit verify, audit show
int run_read(const Words& words);          ///< read METER OBIS, or --tcp
int run_trace(const Words& words);         ///< trace: what went over the links
int run_vend(const Words& words);          ///< vend set, load-key, deposit, check, foreign

/// Help of one subcommand; empty for an unknown one.
std::string help_of(const std::string& command);
std::string help();

}  // namespace wattmesh::headend
