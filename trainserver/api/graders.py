"""/v1/fine_tuning/alpha/graders: reinforcement, which is not trained here, refused by its name."""

from __future__ import annotations

from fastapi import APIRouter, Depends

from trainserver.api.state import may_change
from trainserver.errors import BadRequest

router = APIRouter(prefix="/v1/fine_tuning/alpha/graders", dependencies=[Depends(may_change)])


@router.post("/run")
@router.post("/validate")
def refuse() -> None:
    raise BadRequest(
        "Graders belong to reinforcement fine-tuning, which this server does not do.",
        param="grader",
        code="unsupported_method",
    )
