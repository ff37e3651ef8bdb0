"""The operations, one class each: 申领 to 注销, and what goes with them."""

from typing import Any

from harness.office.case.operation import Operation
from harness.office.operations import (
    activate_and_pin,
    apply,
    cancel,
    electronic,
    information_and_region,
    issue,
    loss_and_reissue,
    supervise,
)

_KINDS: tuple[type[Operation[Any, Any]], ...] = (
    apply.ApplyOperation,
    apply.ApplyBatchOperation,
    issue.MakeOperation,
    issue.HandOutOperation,
    issue.ExtendOperation,
    issue.DeliveryFailedOperation,
    issue.DisposeOperation,
    activate_and_pin.ActivateOperation,
    activate_and_pin.ChangePinOperation,
    activate_and_pin.ResetPinOperation,
    loss_and_reissue.ReportLossOperation,
    loss_and_reissue.LiftLossOperation,
    loss_and_reissue.ReissueOperation,
    loss_and_reissue.ReplaceOperation,
    information_and_region.QueryOperation,
    information_and_region.ChangeInformationOperation,
    information_and_region.TransferOperation,
    cancel.CancelOperation,
    cancel.BankBusinessOperation,
    cancel.CloseAccountOperation,
    cancel.RecordSurplusOperation,
    supervise.SuspendOperation,
    supervise.UnsuspendOperation,
    supervise.FreezeOperation,
    supervise.UnfreezeOperation,
    supervise.WithdrawOperation,
    electronic.ApplyElectronicOperation,
    electronic.ChangeElectronicPinOperation,
    electronic.ShowCredentialOperation,
    electronic.VerifyCredentialOperation,
    supervise.TellBanksOperation,
    supervise.ReconcileOperation,
    supervise.ExportOperation,
    supervise.EraseOperation,
)
ALL: dict[str, Operation[Any, Any]] = {kind.request.operation: kind() for kind in _KINDS}
"""By name, in the order in which lists and documents have them."""
