using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Broker.Storage.Migrations.Postgres
{
    /// <inheritdoc />
    public partial class ConditionsLimitsAndReruns : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropCheckConstraint(
                name: "ck_step_status",
                table: "step");

            migrationBuilder.AddColumn<long>(
                name: "attempt_ms",
                table: "step",
                type: "bigint",
                nullable: true);

            migrationBuilder.AddColumn<long>(
                name: "deadline",
                table: "step",
                type: "bigint",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "progress",
                table: "step",
                type: "text",
                nullable: true);

            migrationBuilder.AddColumn<long>(
                name: "total_deadline",
                table: "step",
                type: "bigint",
                nullable: true);

            migrationBuilder.AddColumn<long>(
                name: "cancelled_at",
                table: "run",
                type: "bigint",
                nullable: true);

            migrationBuilder.AddColumn<long>(
                name: "deadline",
                table: "run",
                type: "bigint",
                nullable: true);

            migrationBuilder.AddColumn<long>(
                name: "from_run",
                table: "run",
                type: "bigint",
                nullable: true);

            migrationBuilder.AddColumn<long>(
                name: "limit_ms",
                table: "run",
                type: "bigint",
                nullable: true);

            migrationBuilder.AddColumn<int>(
                name: "priority",
                table: "run",
                type: "integer",
                nullable: true);

            migrationBuilder.AddColumn<long>(
                name: "start_at",
                table: "run",
                type: "bigint",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "tags",
                table: "run",
                type: "text",
                nullable: true);

            migrationBuilder.CreateTable(
                name: "step_attempt",
                columns: table => new
                {
                    run_id = table.Column<long>(type: "bigint", nullable: false),
                    idx = table.Column<int>(type: "integer", nullable: false),
                    number = table.Column<int>(type: "integer", nullable: false),
                    attempt = table.Column<int>(type: "integer", nullable: false),
                    outcome = table.Column<short>(type: "smallint", nullable: false),
                    worker = table.Column<string>(type: "text", nullable: true),
                    granted_at = table.Column<long>(type: "bigint", nullable: true),
                    ended_at = table.Column<long>(type: "bigint", nullable: false),
                    error = table.Column<string>(type: "text", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_step_attempt", x => new { x.run_id, x.idx, x.number });
                    table.CheckConstraint("ck_step_attempt", "number > 0 AND outcome BETWEEN 0 AND 4");
                });

            migrationBuilder.CreateIndex(
                name: "ix_step_deadline",
                table: "step",
                column: "deadline",
                filter: "status = 1 AND deadline IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "ix_step_paused",
                table: "step",
                column: "run_id",
                filter: "status = 8");

            migrationBuilder.AddCheckConstraint(
                name: "ck_step_status",
                table: "step",
                sql: "status BETWEEN 1 AND 9");

            migrationBuilder.CreateIndex(
                name: "ix_run_deadline",
                table: "run",
                column: "deadline",
                filter: "deadline IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "ix_run_failed",
                table: "run",
                columns: new[] { "workflow", "created_at", "id" },
                filter: "error IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "ix_run_failed_id",
                table: "run",
                column: "id",
                filter: "error IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "ix_run_tagged",
                table: "run",
                columns: new[] { "workflow", "created_at", "id" },
                filter: "tags IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "ix_run_tagged_id",
                table: "run",
                column: "id",
                filter: "tags IS NOT NULL");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "step_attempt");

            migrationBuilder.DropIndex(
                name: "ix_step_deadline",
                table: "step");

            migrationBuilder.DropIndex(
                name: "ix_step_paused",
                table: "step");

            migrationBuilder.DropCheckConstraint(
                name: "ck_step_status",
                table: "step");

            migrationBuilder.DropIndex(
                name: "ix_run_deadline",
                table: "run");

            migrationBuilder.DropIndex(
                name: "ix_run_failed",
                table: "run");

            migrationBuilder.DropIndex(
                name: "ix_run_failed_id",
                table: "run");

            migrationBuilder.DropIndex(
                name: "ix_run_tagged",
                table: "run");

            migrationBuilder.DropIndex(
                name: "ix_run_tagged_id",
                table: "run");

            migrationBuilder.DropColumn(
                name: "attempt_ms",
                table: "step");

            migrationBuilder.DropColumn(
                name: "deadline",
                table: "step");

            migrationBuilder.DropColumn(
                name: "progress",
                table: "step");

            migrationBuilder.DropColumn(
                name: "total_deadline",
                table: "step");

            migrationBuilder.DropColumn(
                name: "cancelled_at",
                table: "run");

            migrationBuilder.DropColumn(
                name: "deadline",
                table: "run");

            migrationBuilder.DropColumn(
                name: "from_run",
                table: "run");

            migrationBuilder.DropColumn(
                name: "limit_ms",
                table: "run");

            migrationBuilder.DropColumn(
                name: "priority",
                table: "run");

            migrationBuilder.DropColumn(
                name: "start_at",
                table: "run");

            migrationBuilder.DropColumn(
                name: "tags",
                table: "run");

            migrationBuilder.AddCheckConstraint(
                name: "ck_step_status",
                table: "step",
                sql: "status BETWEEN 1 AND 8");
        }
    }
}
