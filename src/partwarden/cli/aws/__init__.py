"""Commands for databases in AWS: make the way of an alert, look at it, try it, and take it away."""

from __future__ import annotations

from cyclopts import App, Group, Parameter

from partwarden.cli.aws import ca_bundle, deploy, destroy, fleet, status, template, trial

app = App(
    name="aws",
    help="RDS and Aurora: the way of an alert from a database to an e-mail, made, looked at, tried and taken away.\n\n"
    "Credentials and region are found as the AWS tools find them: AWS_PROFILE, AWS_REGION, ~/.aws, an instance's role. "
    "Needs pip install 'partwarden[aws]'.",
    group_commands=Group("Commands", sort_key=0),
    default_parameter=Parameter(negative=()),
)
app.command(deploy.deploy, sort_key=0)
app.command(status.status, sort_key=1)
app.command(status.try_alert, name="test-alert", sort_key=2)
app.command(destroy.destroy, sort_key=3)
trial.app.sort_key = 6
app.command(trial.app)
fleet.app.sort_key = 7
app.command(fleet.app)
app.command(ca_bundle.ca_bundle, sort_key=8)
app.command(template.template, sort_key=9)
