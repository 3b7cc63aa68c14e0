#pragma once
#include "protocol/decode/walk.h"

/// One function per message; each walk covers the message from its tag to its end.
/// Source: Green Book (DLMS UA 1000-2) ed. 10, 9.5.
namespace wattmesh::decode {

/// Any APDU, by its tag.
void apdu_lines(Walk& walk);

// Services with logical names, by their tag.
void get_request_lines(Walk& walk);
void set_request_lines(Walk& walk);
void action_request_lines(Walk& walk);
void get_response_lines(Walk& walk);
void set_response_lines(Walk& walk);
void action_response_lines(Walk& walk);
void access_request_lines(Walk& walk);
void access_response_lines(Walk& walk);
void data_notification_lines(Walk& walk);
void event_notification_lines(Walk& walk);
void exception_lines(Walk& walk);

// Parts of services that come in blocks, too.
void read_result_lines(Walk& walk, const std::string& prefix);    ///< Get-Data-Result
void action_result_lines(Walk& walk, const std::string& prefix);  ///< Action-Response-With-Optional-Data

// Services with short names; they are recognised, their variables have no names here.
void short_name_request_lines(Walk& walk);
void short_name_response_lines(Walk& walk);

// Associations.
void association_lines(Walk& walk);  ///< AARQ, AARE, RLRQ, RLRE
void initiate_request_lines(Walk& walk);
void initiate_response_lines(Walk& walk);
void service_error_lines(Walk& walk);

// Messages around messages.
void ciphered_lines(Walk& walk);  ///< glo-, ded-, general-glo-, general-ded-, general-ciphering
void signed_lines(Walk& walk);
void general_block_lines(Walk& walk);

}  // namespace wattmesh::decode
