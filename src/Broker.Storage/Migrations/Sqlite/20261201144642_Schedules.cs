using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Broker.Storage.Migrations.Sqlite
{
    /// <inheritdoc />
    public partial class Schedules : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "schedule",
                columns: table => new
                {
                    name = table.Column<string>(type: "TEXT", nullable: false),
                    workflow = table.Column<string>(type: "TEXT", nullable: false),
                    is_owned = table.Column<bool>(type: "INTEGER", nullable: false),
                    spec = table.Column<string>(type: "TEXT", nullable: false),
                    key_id = table.Column<string>(type: "TEXT", nullable: false),
                    revision = table.Column<int>(type: "INTEGER", nullable: false),
                    paused_at = table.Column<long>(type: "INTEGER", nullable: true),
                    paused_by = table.Column<string>(type: "TEXT", nullable: true),
                    pause_note = table.Column<string>(type: "TEXT", nullable: true),
                    disabled_because = table.Column<string>(type: "TEXT", nullable: true),
                    last_nominal = table.Column<long>(type: "INTEGER", nullable: false),
                    paused_until = table.Column<long>(type: "INTEGER", nullable: true),
                    next_at = table.Column<long>(type: "INTEGER", nullable: true),
                    owner = table.Column<string>(type: "TEXT", nullable: true),
                    last_instance = table.Column<string>(type: "TEXT", nullable: true),
                    last_at = table.Column<long>(type: "INTEGER", nullable: true),
                    started = table.Column<long>(type: "INTEGER", nullable: false),
                    skipped = table.Column<long>(type: "INTEGER", nullable: false),
                    created_at = table.Column<long>(type: "INTEGER", nullable: false),
                    updated_at = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_schedule", x => x.name);
                });

            migrationBuilder.CreateTable(
                name: "schedule_firing",
                columns: table => new
                {
                    id = table.Column<long>(type: "INTEGER", nullable: false)
                        .Annotation("Sqlite:Autoincrement", true),
                    schedule = table.Column<string>(type: "TEXT", nullable: false),
                    kind = table.Column<short>(type: "INTEGER", nullable: false),
                    phase = table.Column<short>(type: "INTEGER", nullable: false),
                    nominal = table.Column<long>(type: "INTEGER", nullable: false),
                    until = table.Column<long>(type: "INTEGER", nullable: true),
                    count = table.Column<int>(type: "INTEGER", nullable: false),
                    is_capped = table.Column<bool>(type: "INTEGER", nullable: false),
                    reason = table.Column<string>(type: "TEXT", nullable: true),
                    detail = table.Column<string>(type: "TEXT", nullable: true),
                    instance = table.Column<string>(type: "TEXT", nullable: true),
                    overlap = table.Column<short>(type: "INTEGER", nullable: true),
                    at = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_schedule_firing", x => x.id);
                    table.CheckConstraint("ck_schedule_firing_phase", "phase BETWEEN 0 AND 2 AND kind BETWEEN 0 AND 2");
                    table.CheckConstraint("ck_schedule_firing_reason", "(phase = 2) = (reason IS NOT NULL) AND count > 0");
                });

            migrationBuilder.CreateIndex(
                name: "IX_schedule_workflow",
                table: "schedule",
                column: "workflow");

            migrationBuilder.CreateIndex(
                name: "ix_schedule_due",
                table: "schedule",
                column: "next_at",
                filter: "next_at IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "IX_schedule_firing_at",
                table: "schedule_firing",
                column: "at");

            migrationBuilder.CreateIndex(
                name: "IX_schedule_firing_schedule_id",
                table: "schedule_firing",
                columns: new[] { "schedule", "id" });

            migrationBuilder.CreateIndex(
                name: "ix_schedule_firing_waiting",
                table: "schedule_firing",
                columns: new[] { "schedule", "nominal" },
                filter: "phase = 0");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "schedule");

            migrationBuilder.DropTable(
                name: "schedule_firing");
        }
    }
}
