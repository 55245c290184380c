using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql.EntityFrameworkCore.PostgreSQL.Metadata;

#nullable disable

namespace Broker.Storage.Migrations.Postgres
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
                    name = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    workflow = table.Column<string>(type: "text", nullable: false),
                    is_owned = table.Column<bool>(type: "boolean", nullable: false),
                    spec = table.Column<string>(type: "text", nullable: false),
                    key_id = table.Column<string>(type: "text", nullable: false),
                    revision = table.Column<int>(type: "integer", nullable: false),
                    paused_at = table.Column<long>(type: "bigint", nullable: true),
                    paused_by = table.Column<string>(type: "text", nullable: true),
                    pause_note = table.Column<string>(type: "text", nullable: true),
                    disabled_because = table.Column<string>(type: "text", nullable: true),
                    last_nominal = table.Column<long>(type: "bigint", nullable: false),
                    paused_until = table.Column<long>(type: "bigint", nullable: true),
                    next_at = table.Column<long>(type: "bigint", nullable: true),
                    owner = table.Column<string>(type: "text", nullable: true),
                    last_instance = table.Column<string>(type: "text", nullable: true),
                    last_at = table.Column<long>(type: "bigint", nullable: true),
                    started = table.Column<long>(type: "bigint", nullable: false),
                    skipped = table.Column<long>(type: "bigint", nullable: false),
                    created_at = table.Column<long>(type: "bigint", nullable: false),
                    updated_at = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_schedule", x => x.name);
                });

            migrationBuilder.CreateTable(
                name: "schedule_firing",
                columns: table => new
                {
                    id = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    schedule = table.Column<string>(type: "text", nullable: false),
                    kind = table.Column<short>(type: "smallint", nullable: false),
                    phase = table.Column<short>(type: "smallint", nullable: false),
                    nominal = table.Column<long>(type: "bigint", nullable: false),
                    until = table.Column<long>(type: "bigint", nullable: true),
                    count = table.Column<int>(type: "integer", nullable: false),
                    is_capped = table.Column<bool>(type: "boolean", nullable: false),
                    reason = table.Column<string>(type: "text", nullable: true),
                    detail = table.Column<string>(type: "text", nullable: true),
                    instance = table.Column<string>(type: "text", nullable: true),
                    overlap = table.Column<short>(type: "smallint", nullable: true),
                    at = table.Column<long>(type: "bigint", nullable: false)
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
