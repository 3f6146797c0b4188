"""Messages about users: who they are, their accounts and notices.

Strategy: frozen classes with the elements' names in snake case, in the order of the standard (Z39.83-1, services).
Reading fills them, writing takes the order from `grammar.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

from interlend.ncip.messages import Initiation, Notification, Response
from interlend.ncip.parts import (
    AddressInformation,
    AuthenticationInput,
    BlockOrTrap,
    FiscalTransactionInformation,
    FiscalTransactionReferenceId,
    LoanedItem,
    LoanedItemsCount,
    NameInformation,
    RequestedItem,
    RequestedItemsCount,
    UserFields,
    UserFiscalAccount,
    UserId,
    UserNoticeDetails,
    UserOptionalFields,
    UserPrivilege,
)
from interlend.ncip.values import Code, Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class LookupUser(Initiation):
    """Asks who a user is, what they may do and, when desired, what they have, await and owe."""

    user_id: UserId | None = None
    authentication_inputs: tuple[AuthenticationInput, ...] = ()
    user_element_types: tuple[Code, ...] = ()
    loaned_items_desired: bool = False
    requested_items_desired: bool = False
    user_fiscal_account_desired: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LookupUserResponse(Response):
    """What is known of the user; each part only when it was asked for."""

    user_id: UserId | None = None
    user_fiscal_accounts: tuple[UserFiscalAccount, ...] = ()
    loaned_items_counts: tuple[LoanedItemsCount, ...] = ()
    loaned_items: tuple[LoanedItem, ...] = ()
    requested_items_counts: tuple[RequestedItemsCount, ...] = ()
    requested_items: tuple[RequestedItem, ...] = ()
    user_optional_fields: UserOptionalFields | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthenticateUser(Initiation):
    """Asks who has proved to be whom (version 1 only; version 2 uses LookupUser for it)."""

    authentication_inputs: tuple[AuthenticationInput, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthenticateUserResponse(Response):
    """The user who signed in."""

    user_id: UserId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateUser(Initiation):
    """Asks for a new user. `visible_user_ids` exist in version 1 only."""

    mandated_action: Moment | None = None
    user_id: UserId | None = None
    authentication_inputs: tuple[AuthenticationInput, ...] = ()
    name_information: NameInformation | None = None
    user_address_information: tuple[AddressInformation, ...] = ()
    date_of_birth: Moment | None = None
    user_languages: tuple[Code, ...] = ()
    user_privileges: tuple[UserPrivilege, ...] = ()
    blocks_or_traps: tuple[BlockOrTrap, ...] = ()
    visible_user_ids: tuple[UserId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateUserResponse(Response):
    """The id of the new user."""

    user_id: UserId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateUser(Initiation):
    """Asks to change a user: first delete, then add."""

    mandated_action: Moment | None = None
    user_id: UserId | None = None
    authentication_inputs: tuple[AuthenticationInput, ...] = ()
    delete_user_fields: UserFields | None = None
    add_user_fields: UserFields | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateUserResponse(Response):
    """The id of the changed user."""

    user_id: UserId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteUser(Initiation):
    """Asks to remove a user."""

    mandated_action: Moment | None = None
    user_id: UserId | None = None
    authentication_inputs: tuple[AuthenticationInput, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteUserResponse(Response):
    """The id of the removed user."""

    user_id: UserId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateUserFiscalTransaction(Initiation):
    """Asks to put a fee or a payment on a user's account."""

    mandated_action: Moment | None = None
    user_id: UserId | None = None
    authentication_inputs: tuple[AuthenticationInput, ...] = ()
    fiscal_transaction_information: FiscalTransactionInformation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateUserFiscalTransactionResponse(Response):
    """The reference of the new transaction."""

    user_id: UserId | None = None
    fiscal_transaction_reference_id: FiscalTransactionReferenceId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SendUserNotice(Initiation):
    """Asks to send a user a notice."""

    mandated_action: Moment | None = None
    user_id: UserId | None = None
    date_to_send: Moment | None = None
    user_notice_details: UserNoticeDetails | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SendUserNoticeResponse(Response):
    """When the notice was, or will be, sent."""

    user_id: UserId | None = None
    date_sent: Moment | None = None
    date_will_send: Moment | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UserCreated(Notification):
    """Tells of a new user. `visible_user_ids` exist in version 1 only."""

    user_id: UserId | None = None
    name_information: NameInformation | None = None
    user_address_information: tuple[AddressInformation, ...] = ()
    date_of_birth: Moment | None = None
    user_languages: tuple[Code, ...] = ()
    user_privileges: tuple[UserPrivilege, ...] = ()
    blocks_or_traps: tuple[BlockOrTrap, ...] = ()
    visible_user_ids: tuple[UserId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class UserCreatedResponse(Response):
    """Heard, or what was wrong with the UserCreated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UserUpdated(Notification):
    """Tells that a user was changed."""

    user_id: UserId | None = None
    delete_user_fields: UserFields | None = None
    add_user_fields: UserFields | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UserUpdatedResponse(Response):
    """Heard, or what was wrong with the UserUpdated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UserFiscalTransactionCreated(Notification):
    """Tells of a new entry on a user's account."""

    user_id: UserId | None = None
    fiscal_transaction_information: FiscalTransactionInformation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UserFiscalTransactionCreatedResponse(Response):
    """Heard, or what was wrong with the UserFiscalTransactionCreated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UserNoticeSent(Notification):
    """Tells that a notice was sent."""

    user_id: UserId | None = None
    date_sent: Moment | None = None
    user_notice_details: UserNoticeDetails | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UserNoticeSentResponse(Response):
    """Heard, or what was wrong with the UserNoticeSent."""
