from django.db import migrations


class Migration(migrations.Migration):
    """The rows live fifteen minutes at most, so none is carried over to their new place in `libraries`."""

    dependencies = [("web", "0002_failed_sign_ins")]

    operations = [migrations.DeleteModel(name="FailedSignIn")]
