using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Broker.Storage.Sqlite.Migrations
{
    /// <inheritdoc />
    public partial class EventIds : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(
                name: "client_id",
                table: "inbox",
                type: "TEXT",
                nullable: true);

            migrationBuilder.CreateIndex(
                name: "ix_inbox_client",
                table: "inbox",
                columns: new[] { "run_id", "client_id" },
                unique: true,
                filter: "client_id IS NOT NULL");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "ix_inbox_client",
                table: "inbox");

            migrationBuilder.DropColumn(
                name: "client_id",
                table: "inbox");
        }
    }
}
